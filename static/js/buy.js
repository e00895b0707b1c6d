// The amount page: an amount typed and an amount picked never stand beside each other.
(function () {
  "use strict";
  const form = document.querySelector("form[data-amounts]");
  if (!form) return;
  const typed = form.querySelector("[name=other]");
  const other = form.querySelector("[name=choice][value=other]");

  typed.addEventListener("input", function () {
    if (typed.value.trim()) other.checked = true;
  });

  form.addEventListener("change", function (event) {
    if (event.target.name !== "choice") return;
    if (event.target === other) typed.focus();
    else typed.value = "";
  });
})();
