// What Unfold's frame lacks for screen readers and keyboards: which part is the page, what each scrolling part is called,
// and that what is wider than the screen can be scrolled by keys.
"use strict";

function makeReachable() {
    for (const part of document.querySelectorAll(".desk-scroll, .overflow-x-auto")) part.tabIndex = 0;
}

window.addEventListener("load", () => {
    document.getElementById("main")?.setAttribute("role", "main");
    document.querySelectorAll(".simplebar-content-wrapper").forEach((part, index) => {
        const inSideBar = part.closest("#nav-sidebar, #nav-sidebar-apps") !== null;
        part.setAttribute("aria-label", `${inSideBar ? "Pages" : "Table"} ${index + 1}`);
    });
    makeReachable();
});
document.addEventListener("htmx:afterSettle", makeReachable);
