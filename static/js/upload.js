// A file can be dropped where it can be chosen; without this script it is chosen.
(function () {
  "use strict";

  document.querySelectorAll("[data-drop-zone]").forEach(function (zone) {
    const input = zone.querySelector("input[type=file]");
    const name = zone.querySelector("[data-drop-name]");
    if (!input) return;

    function show() {
      if (name) name.textContent = input.files.length ? input.files[0].name : "";
    }

    ["dragenter", "dragover"].forEach(function (kind) {
      zone.addEventListener(kind, function (event) {
        event.preventDefault();
        zone.classList.add("is-over");
      });
    });
    ["dragleave", "drop"].forEach(function (kind) {
      zone.addEventListener(kind, function () {
        zone.classList.remove("is-over");
      });
    });
    zone.addEventListener("drop", function (event) {
      event.preventDefault();
      if (!event.dataTransfer.files.length) return;
      input.files = event.dataTransfer.files;
      show();
    });
    input.addEventListener("change", show);
  });
})();
