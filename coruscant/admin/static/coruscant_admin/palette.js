// Enter in the search before an arrow key opens the first result, where Unfold's own code fails; without one it does nothing.
"use strict";

document.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.target.id !== "search-input-command") return;
    const palette = Alpine.$data(event.target);
    if (palette.currentIndex === 0) palette.nextItem();
    if (palette.currentIndex === 0) {
        event.preventDefault();
        event.stopPropagation();
    }
}, true);
