// An element with `data-live` asks for itself again every so many milliseconds, by its hx-get on the event `refresh`:
// not while its tab is hidden, nor while a keyboard is within it, whose place would be lost. What was opened stays open.
// The element named by `data-stale` shows while that fails.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
    for (const live of document.querySelectorAll("[data-live]")) {
        const refresh = () => {
            if (!document.hidden && !live.querySelector(":focus-visible")) htmx.trigger(live, "refresh");
        };
        let opened = [];
        live.addEventListener("htmx:beforeSwap", () => {
            opened = [...live.querySelectorAll("details[open][id]")].map((one) => one.id);
        });
        live.addEventListener("htmx:afterSwap", () => {
            for (const id of opened) document.getElementById(id)?.setAttribute("open", "");
        });
        const stale = document.getElementById(live.dataset.stale);
        const fails = (failing) => () => { stale.hidden = !failing; };
        setInterval(refresh, Number(live.dataset.live));
        document.addEventListener("visibilitychange", refresh);
        for (const name of ["htmx:sendError", "htmx:responseError", "htmx:timeout"]) {
            live.addEventListener(name, fails(true));
        }
        live.addEventListener("htmx:afterSwap", fails(false));
    }
});
