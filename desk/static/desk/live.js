// An element with `data-live` asks for itself again every so many milliseconds, by its hx-get on the event `refresh`:
// not while its tab is hidden. Its `.desk-stale` shows while that fails.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
    for (const live of document.querySelectorAll("[data-live]")) {
        const refresh = () => { if (!document.hidden) htmx.trigger(live, "refresh"); };
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
