// Keeps numbers fresh: asks for news every 1.5 s while the page is seen, and tells the page's parts.
(function () {
  "use strict";
  const PAUSE = 1500;
  const LONGEST_PAUSE = 30000;
  const body = document.body;
  const address = body.dataset.liveUrl;
  if (!address) return;

  let version = body.dataset.liveVersion || "";
  let pause = PAUSE;
  let timer = 0;
  let asking = false;

  function write(name, text) {
    document.querySelectorAll('[data-live="' + CSS.escape(name) + '"]').forEach(function (place) {
      if (place.textContent !== text) place.textContent = text;
    });
  }

  function tell(news) {
    const known = version !== "";
    const changed = String(news.version) !== version;
    version = String(news.version);
    Object.entries(news).forEach(function (pair) {
      if (typeof pair[1] === "string" && pair[0] !== "version") write(pair[0], pair[1]);
    });
    if (known && changed) {
      body.dispatchEvent(new CustomEvent("live:changed", { bubbles: true, detail: news }));
    }
  }

  async function ask() {
    if (asking || document.hidden) return;
    asking = true;
    try {
      const answer = await fetch(address + "?v=" + encodeURIComponent(version), {
        headers: { Accept: "application/json", "X-Requested-With": "XMLHttpRequest" },
        redirect: "manual",
      });
      if (answer.type === "opaqueredirect" || answer.status === 401 || answer.status === 403) {
        return; // Signed out elsewhere: nothing more to ask.
      }
      if (answer.status === 200) tell(await answer.json());
      pause = answer.status < 400 ? PAUSE : Math.min(pause * 2, LONGEST_PAUSE);
      plan();
    } catch (error) {
      pause = Math.min(pause * 2, LONGEST_PAUSE);
      plan();
    } finally {
      asking = false;
    }
  }

  function plan() {
    window.clearTimeout(timer);
    if (!document.hidden) timer = window.setTimeout(ask, pause);
  }

  document.addEventListener("visibilitychange", function () {
    window.clearTimeout(timer);
    if (document.hidden) return;
    pause = PAUSE;
    ask();
  });
  plan();
})();
