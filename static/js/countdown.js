// A button that can be pressed again after some seconds: <button data-countdown="60"
// data-countdown-text="Send again in %s s">. Without this script it can be pressed at once.
(function () {
  "use strict";

  function start(button) {
    const label = button.querySelector("[data-countdown-label]") || button;
    const words = label.textContent;
    const end = Date.now() + Number(button.dataset.countdown) * 1000;
    button.removeAttribute("data-countdown");

    function tick() {
      const left = Math.ceil((end - Date.now()) / 1000);
      if (left <= 0) {
        window.clearInterval(clock);
        button.disabled = false;
        label.textContent = words;
        return;
      }
      button.disabled = true;
      label.textContent = (button.dataset.countdownText || "%s").replace("%s", String(left));
    }

    const clock = window.setInterval(tick, 1000);
    tick();
  }

  function startAll(root) {
    root.querySelectorAll("[data-countdown]").forEach(start);
  }

  startAll(document);
  document.addEventListener("htmx:load", function (event) {
    startAll(event.target);
  });
})();
