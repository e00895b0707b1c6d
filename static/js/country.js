// A company's usual currency and time zone follow its country until somebody chooses them.
// <form data-countries="id"> names the <script type="application/json"> with {code: [currency, zone]}.
(function () {
  "use strict";
  document.querySelectorAll("form[data-countries]").forEach(function (form) {
    const usual = JSON.parse(document.getElementById(form.dataset.countries).textContent);
    const chosen = new Set();

    function set(name, value) {
      const field = form.elements[name];
      const known = Array.from(field.options).some(function (option) {
        return option.value === value;
      });
      if (known && !chosen.has(name)) field.value = value;
    }

    form.elements.currency.addEventListener("change", function () {
      chosen.add("currency");
    });
    form.elements.time_zone.addEventListener("change", function () {
      chosen.add("time_zone");
    });
    form.elements.country.addEventListener("change", function () {
      const terms = usual[form.elements.country.value];
      if (!terms) return;
      set("currency", terms[0]);
      set("time_zone", terms[1]);
    });

    const faulty = form.querySelector("[aria-invalid=true]") || form.elements.name.value;
    const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
    if (!faulty && here) set("time_zone", here);
  });
})();
