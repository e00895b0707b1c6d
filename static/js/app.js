// Menus, whole-row clicks, toasts, copying and the search key: small things on every page.
(function () {
  "use strict";

  function closeMenus(except) {
    document.querySelectorAll("details[data-menu][open]").forEach(function (menu) {
      if (menu !== except) menu.removeAttribute("open");
    });
  }

  function moveInMenu(menu, step) {
    const items = Array.from(menu.querySelectorAll(".menu-item")).filter(function (item) {
      return item.offsetParent !== null;
    });
    if (!items.length) return;
    const here = items.indexOf(document.activeElement);
    items[(here + step + items.length) % items.length].focus();
  }

  // Where a row of tabs is wider than the page, the open one is in sight.
  document.querySelectorAll(".tabs .is-active, .segments .is-current").forEach(function (tab) {
    const row = tab.closest(".tabs, .segments");
    const place = tab.getBoundingClientRect();
    const beyond = place.right - row.getBoundingClientRect().right;
    if (beyond > 0) row.scrollLeft += beyond;
  });

  document.addEventListener("click", function (event) {
    closeMenus(event.target.closest("details[data-menu]"));

    const close = event.target.closest("[data-toast-close]");
    if (close) close.closest("[data-toast]").remove();

    const copy = event.target.closest("[data-copy]");
    if (copy) copyText(copy);

    if (event.target.closest("[data-print]")) window.print();

    openRow(event);
  });

  document.addEventListener("keydown", function (event) {
    const menu = event.target.closest && event.target.closest("details[data-menu]");
    if (event.key === "Escape" && menu && menu.open) {
      menu.removeAttribute("open");
      menu.querySelector("summary").focus();
    } else if (menu && menu.open && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
      event.preventDefault();
      moveInMenu(menu, event.key === "ArrowDown" ? 1 : -1);
    } else if (event.key === "/" && !event.ctrlKey && !event.metaKey && !event.altKey) {
      const search = document.querySelector("[data-search]");
      if (!search || search.offsetParent === null) return;
      if (event.target.closest("input, textarea, select, [contenteditable]")) return;
      event.preventDefault();
      search.focus();
    }
  });

  document.addEventListener("focusout", function (event) {
    const menu = event.target.closest("details[data-menu][open]");
    if (menu && event.relatedTarget && !menu.contains(event.relatedTarget)) {
      menu.removeAttribute("open");
    }
  });

  // A row leads where its link leads; whoever selects text or ticks a box is left alone.
  function openRow(event) {
    const row = event.target.closest("tr[data-href]");
    if (!row || event.defaultPrevented || event.button !== 0) return;
    if (event.target.closest("a, button, input, label, select, summary, .tick-cell")) return;
    if (String(window.getSelection())) return;
    if (event.ctrlKey || event.metaKey) window.open(row.dataset.href, "_blank", "noopener");
    else window.location.assign(row.dataset.href);
  }

  function copyText(button) {
    const label = button.querySelector("[data-copy-label]");
    const before = label.textContent;
    navigator.clipboard.writeText(button.dataset.copy).then(function () {
      label.textContent = button.dataset.copied;
      window.setTimeout(function () {
        label.textContent = before;
      }, 2000);
    });
  }

  // Good news leaves by itself unless it is being read; everything else waits to be closed.
  document.addEventListener("DOMContentLoaded", function () {
    document.querySelectorAll(".toast-success, .toast-info").forEach(function (toast) {
      let left = 8;
      const clock = window.setInterval(function () {
        if (toast.matches(":hover, :focus-within") || document.hidden) return;
        left -= 1;
        if (left > 0) return;
        window.clearInterval(clock);
        toast.remove();
      }, 1000);
    });
  });
})();
