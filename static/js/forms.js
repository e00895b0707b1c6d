// Forms: exact live previews of amounts, ticking rows, first error, one submission at a time.
(function () {
  "use strict";
  const PLACES = 4;
  const SCALE = 10n ** BigInt(PLACES);
  const language = document.documentElement.lang || "en";

  // The rule of the amount field: comma and point are both the decimal sign, spaces group, and one
  // sign followed by exactly three digits could mean either and is not read. Gives BigInt or null.
  function parseAmount(typed) {
    const text = typed.replace(/[\s\u00a0\u202f]/g, "");
    const match = /^(\d{1,14})(?:[.,](\d{0,4}))?$/.exec(text);
    if (!match) return null;
    const decimals = match[2] || "";
    if (decimals.length === 3) return null;
    return BigInt(match[1]) * SCALE + BigInt(decimals.padEnd(PLACES, "0") || "0");
  }

  function parseStored(text) {
    const negative = text.startsWith("-");
    const parts = text.replace("-", "").split(".");
    const value =
      BigInt(parts[0] || "0") * SCALE + BigInt((parts[1] || "").padEnd(PLACES, "0").slice(0, PLACES));
    return negative ? -value : value;
  }

  function plain(value) {
    const size = value < 0n ? -value : value;
    const decimals = String(size % SCALE).padStart(PLACES, "0");
    return (value < 0n ? "-" : "") + String(size / SCALE) + "." + decimals;
  }

  function writeMoney(value, currency) {
    const usual = new Intl.NumberFormat(language, { style: "currency", currency: currency });
    const places = usual.resolvedOptions().maximumFractionDigits;
    const beyond = value % 10n ** BigInt(Math.max(0, PLACES - places)) !== 0n;
    const format = beyond
      ? new Intl.NumberFormat(language, {
          style: "currency",
          currency: currency,
          minimumFractionDigits: PLACES,
          maximumFractionDigits: PLACES,
        })
      : usual;
    // A string, not a number: the browser then formats every digit exactly.
    return format.format(plain(value)).replace("-", "\u2212");
  }

  // <form data-preview="EUR"> holds <input data-preview-amount> and any number of
  // <output data-preview-result data-base="200.0000" data-factor="-1">: base + factor × amount.
  function preview(form) {
    const input = form.querySelector("[data-preview-amount]");
    if (!input) return;
    const amount = parseAmount(input.value);
    let short = false;
    form.querySelectorAll("[data-preview-result]").forEach(function (place) {
      if (!("empty" in place.dataset)) place.dataset.empty = place.textContent;
      if (amount === null) {
        place.textContent = place.dataset.empty;
        place.classList.remove("is-short");
        return;
      }
      const factor = BigInt(place.dataset.factor || "1");
      const result = parseStored(place.dataset.base || "0") + factor * amount;
      place.textContent = writeMoney(result, form.dataset.preview);
      place.classList.toggle("is-short", result < 0n);
      if (result < 0n) short = true;
    });
    form.querySelectorAll("[data-preview-short]").forEach(function (words) {
      words.hidden = !short;
    });
    const known = amount !== null && amount !== 0n && !short;
    form.querySelectorAll("[data-preview-known]").forEach(function (words) {
      words.hidden = !known;
    });
    form.querySelectorAll("[data-preview-unknown]").forEach(function (words) {
      words.hidden = known || short;
    });
  }

  // Ticking: <form data-ticks> with boxes [data-tick], one [data-tick-all] and an action bar.
  let lastTicked = null;

  function countTicks(form) {
    const boxes = Array.from(form.querySelectorAll("[data-tick]"));
    const ticked = boxes.filter(function (box) {
      return box.checked;
    });
    form.querySelectorAll("[data-ticked-count]").forEach(function (place) {
      place.textContent = ticked.length.toLocaleString(language);
    });
    form.querySelectorAll("[data-action-bar]").forEach(function (bar) {
      bar.hidden = ticked.length === 0;
    });
    form.querySelectorAll("[data-tick-all]").forEach(function (all) {
      all.checked = boxes.length > 0 && ticked.length === boxes.length;
      all.indeterminate = ticked.length > 0 && ticked.length < boxes.length;
    });
  }

  function setTicks(form, on) {
    form.querySelectorAll("[data-tick]").forEach(function (box) {
      if (!box.disabled) box.checked = on;
    });
    countTicks(form);
  }

  document.addEventListener("click", function (event) {
    const box = event.target.closest("[data-tick]");
    const form = event.target.closest("form[data-ticks]");
    if (!form) return;
    if (event.target.closest("[data-untick]")) setTicks(form, false);
    if (!box) return;
    const boxes = Array.from(form.querySelectorAll("[data-tick]"));
    if (event.shiftKey && lastTicked && boxes.includes(lastTicked)) {
      const ends = [boxes.indexOf(lastTicked), boxes.indexOf(box)].sort(function (a, b) {
        return a - b;
      });
      boxes.slice(ends[0], ends[1] + 1).forEach(function (between) {
        between.checked = box.checked;
      });
    }
    lastTicked = box;
    countTicks(form);
  });

  document.addEventListener("change", function (event) {
    const form = event.target.closest("form");
    if (!form) return;
    if (event.target.matches("[data-tick-all]")) setTicks(form, event.target.checked);
    if (event.target.matches("[data-submit-on-change]")) form.requestSubmit();
    if (form.matches("[data-preview]")) preview(form);
  });

  document.addEventListener("input", function (event) {
    const form = event.target.closest("form[data-preview]");
    if (form) preview(form);
  });

  // A second press of a button that is already at work does nothing.
  document.addEventListener("submit", function (event) {
    const form = event.target;
    // Attributes, not properties: a field named "method" would hide the form's own.
    const chosen = event.submitter && event.submitter.getAttribute("formmethod");
    const method = (chosen || form.getAttribute("method") || "get").toLowerCase();
    if (method === "get" || form.hasAttribute("data-repeatable")) return;
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = "1";
    window.setTimeout(function () {
      if (event.defaultPrevented) {
        delete form.dataset.sent;
        return;
      }
      form.querySelectorAll("button[type=submit], button:not([type])").forEach(function (button) {
        button.setAttribute("aria-busy", "true");
      });
    }, 0);
  });

  function release(form) {
    delete form.dataset.sent;
    form.querySelectorAll("[aria-busy]").forEach(function (button) {
      button.removeAttribute("aria-busy");
    });
  }
  window.addEventListener("pageshow", function () {
    document.querySelectorAll("form[data-sent]").forEach(release);
  });
  document.addEventListener("htmx:afterRequest", function (event) {
    if (event.target.matches && event.target.matches("form[data-sent]")) release(event.target);
  });

  function prepare(root) {
    root.querySelectorAll("form[data-preview]").forEach(preview);
    root.querySelectorAll("form[data-ticks]").forEach(countTicks);
    if (root.matches && root.matches("form[data-preview]")) preview(root);
    const faulty =
      root.querySelector("[aria-invalid=true]") || root.querySelector("[data-error-summary]");
    if (faulty) faulty.focus();
  }

  prepare(document);
  document.addEventListener("htmx:load", function (event) {
    prepare(event.target);
    const form = event.target.closest("form[data-ticks]");
    if (form) countTicks(form);
    const previewed = event.target.closest("form[data-preview]");
    if (previewed) preview(previewed);
  });
})();
