"""What a representative sees of the feeds."""


def test_the_feeds_are_listed_by_market(browser):
    text = browser.get("/admin/pricing/feed/").content.decode()
    assert "Mos Espa, Tatooine" in text
