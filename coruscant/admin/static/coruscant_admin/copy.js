// A button with `data-copy` copies that text, and shows a tick once it has.
"use strict";

document.addEventListener("click", async (event) => {
    const button = event.target.closest("button[data-copy]");
    if (!button) return;
    event.preventDefault();
    button.textContent = (await copied(button.dataset.copy)) ? "check" : "error";
    setTimeout(() => { button.textContent = "content_copy"; }, 1500);
});

async function copied(text) {
    if (navigator.clipboard) {
        return navigator.clipboard.writeText(text).then(() => true, () => false);
    }
    // Browsers offer the clipboard only over TLS or on the machine itself; elsewhere the older way works.
    const field = document.createElement("textarea");
    field.value = text;
    document.body.append(field);
    field.select();
    const done = document.execCommand("copy");
    field.remove();
    return done;
}
