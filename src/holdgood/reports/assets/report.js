// Draws the charts from the data blocks, follows the reader through the contents, turns the theme, sorts tables.
// Everything works without it: the charts are then still drawings, and the tables keep their order.
(function () {
  "use strict";
  var root = document.documentElement;
  var charts = [];
  root.classList.add("scripted");

  function tone(name) {
    return getComputedStyle(root).getPropertyValue("--" + name).trim();
  }

  // ---- charts -------------------------------------------------------------------------------------------------
  var TONE_KEYS = { color: 1, backgroundColor: 1, borderColor: 1, fontFamily: 1 };
  var SIGNS = { EUR: "€", USD: "$", GBP: "£", JPY: "¥", INR: "₹" };

  function tick(style) {
    var money = style.indexOf("money:") === 0 ? style.slice(6) : null;
    var sign = money === null ? "" : SIGNS[money.toUpperCase()] || money;
    if (sign.length > 1) sign += "\u00a0";
    return function (value) {
      var scaled = style === "percent" ? value * 100 : value;
      var text = Math.abs(Number(scaled.toPrecision(10))).toLocaleString("en-US", { maximumFractionDigits: 8 });
      return (scaled < 0 && text !== "0" ? "−" : "") + sign + text + (style === "percent" ? "%" : "");
    };
  }

  // Roles become this theme's colours, tick styles become functions; only under the keys that may hold them, so that
  // a name in the data that happens to begin with a dollar sign stays a name.
  function resolve(value, key) {
    if (Array.isArray(value)) return value.map(function (v) { return resolve(v, ""); });
    if (value && typeof value === "object") {
      var out = {};
      Object.keys(value).forEach(function (k) { out[k] = resolve(value[k], k); });
      return out;
    }
    if (typeof value !== "string" || value.charAt(0) !== "$") return value;
    if (key === "formatter" && value.indexOf("$tick:") === 0) return tick(value.slice(6));
    return TONE_KEYS[key] ? tone(value.slice(1)) : value;
  }

  function tip(found) {
    var box = document.createElement("div");
    var lines = [];
    (Array.isArray(found) ? found : [found]).forEach(function (p) {
      var text = p.data && p.data.tip;
      if (text) text.split("\n").forEach(function (line) { if (lines.indexOf(line) < 0) lines.push(line); });
    });
    lines.forEach(function (line) {
      var row = document.createElement("div");
      row.textContent = line; // never as markup: names come from the data
      box.appendChild(row);
    });
    return lines.length ? box : "";
  }

  function paint(entry) {
    var option = resolve(entry.spec, "");
    option.tooltip.formatter = tip;
    if (entry.place.clientWidth < 520 && option.grid.left > 150) {
      // on a telephone the names give way to the numbers
      option.grid.left = 118;
      option.yAxis.axisLabel.width = 104;
    }
    entry.chart.setOption(option, true);
  }

  function open(figure) {
    var place = figure.querySelector(".live");
    var block = figure.querySelector("script[type='application/json']");
    if (!place || !block || !window.echarts) return;
    figure.classList.add("drawn");
    if (!place.clientWidth) { figure.classList.remove("drawn"); return; }
    var entry = { spec: JSON.parse(block.textContent), place: place };
    entry.chart = window.echarts.init(place, null, { renderer: "svg" });
    paint(entry);
    figure.chart = entry;
    charts.push(entry);
  }

  // A figure inside folded details has no width; it is drawn when it first gets one.
  var watch = new ResizeObserver(function (changes) {
    changes.forEach(function (change) {
      var figure = change.target;
      if (!change.contentRect.width) return;
      if (!figure.chart) return open(figure);
      figure.chart.chart.resize();
      paint(figure.chart);
    });
  });
  document.querySelectorAll("figure[data-live]").forEach(function (figure) { watch.observe(figure); });

  // ---- theme --------------------------------------------------------------------------------------------------
  var button = document.querySelector(".theme");
  var prefersDark = window.matchMedia("(prefers-color-scheme: dark)");

  function stored() {
    try { return window.localStorage.getItem("holdgood-theme"); } catch (refused) { return null; }
  }
  function isDark() {
    var said = root.getAttribute("data-theme");
    return said ? said === "dark" : prefersDark.matches;
  }
  function showTheme() {
    button.textContent = isDark() ? "Light theme" : "Dark theme";
    charts.forEach(paint);
  }
  if (button) {
    var before = stored();
    if (before === "dark" || before === "light") root.setAttribute("data-theme", before);
    button.addEventListener("click", function () {
      var next = isDark() ? "light" : "dark";
      root.setAttribute("data-theme", next);
      try { window.localStorage.setItem("holdgood-theme", next); } catch (refused) { /* remembered in this page only */ }
      showTheme();
    });
    prefersDark.addEventListener("change", showTheme);
    showTheme();
  }

  // ---- contents: which section is being read ------------------------------------------------------------------
  var links = Array.prototype.slice.call(document.querySelectorAll(".contents a"));
  var sections = links.map(function (link) { return document.getElementById(link.hash.slice(1)); });

  function follow() {
    var line = window.innerHeight * 0.3;
    var current = 0;
    sections.forEach(function (section, i) { if (section && section.getBoundingClientRect().top <= line) current = i; });
    if (window.innerHeight + window.scrollY >= document.body.scrollHeight - 4) current = sections.length - 1;
    links.forEach(function (link, i) {
      if (i === current) link.setAttribute("aria-current", "location");
      else link.removeAttribute("aria-current");
    });
  }
  var waiting = false;
  window.addEventListener("scroll", function () {
    if (waiting) return;
    waiting = true;
    window.requestAnimationFrame(function () { waiting = false; follow(); });
  }, { passive: true });
  if (links.length) follow();

  // ---- tables that sort ---------------------------------------------------------------------------------------
  document.querySelectorAll("table[data-sortable]").forEach(function (table) {
    var heads = Array.prototype.slice.call(table.tHead.rows[0].cells);
    heads.forEach(function (head, column) {
      var control = document.createElement("button");
      control.type = "button";
      while (head.firstChild) control.appendChild(head.firstChild);
      head.appendChild(control);
      control.addEventListener("click", function () {
        var up = head.getAttribute("aria-sort") !== "ascending";
        heads.forEach(function (other) { other.removeAttribute("aria-sort"); });
        head.setAttribute("aria-sort", up ? "ascending" : "descending");
        var rows = Array.prototype.slice.call(table.tBodies[0].rows);
        rows.sort(function (a, b) { return compare(a.cells[column], b.cells[column], up); });
        rows.forEach(function (row) { table.tBodies[0].appendChild(row); });
      });
    });
  });

  function compare(a, b, up) {
    var x = a.getAttribute("data-value");
    var y = b.getAttribute("data-value");
    if (x === null || y === null) return (up ? 1 : -1) * a.textContent.trim().localeCompare(b.textContent.trim(), "en");
    if (x === "" || y === "") return (x === "") - (y === ""); // what was not measured stays below either way
    return (up ? 1 : -1) * (Number(x) - Number(y));
  }

  // ---- a box that finds columns: rows that do not fit are hidden, groups without a hit are folded --------------
  document.querySelectorAll("input[data-search]").forEach(function (box) {
    var place = document.getElementById(box.getAttribute("data-search"));
    var said = box.closest("p").querySelector("[role=status]");
    var rows = Array.prototype.slice.call(place.querySelectorAll("table.columns tbody tr"));
    var names = rows.map(function (row) { return (row.cells[0].textContent + " " + row.cells[3].textContent).toLowerCase(); });
    var groups = Array.prototype.slice.call(place.querySelectorAll("details.group"));
    var before = groups.map(function (group) { return group.open; });
    box.addEventListener("input", function () {
      var wanted = box.value.trim().toLowerCase();
      var hits = 0;
      rows.forEach(function (row, i) {
        row.hidden = wanted !== "" && names[i].indexOf(wanted) < 0;
        if (!row.hidden) hits += 1;
      });
      groups.forEach(function (group, i) {
        group.open = wanted === "" ? before[i] : group.querySelector("tbody tr:not([hidden])") !== null;
      });
      said.textContent = wanted === "" ? "" : hits + (hits === 1 ? " column" : " columns");
    });
  });

  // ---- the order desk: by supplier, by name, or only what somebody should check ----------------------------------
  var desk = document.getElementById("desk");
  if (desk) {
    var lines = Array.prototype.slice.call(desk.querySelectorAll("details.order"));
    var controls = Array.prototype.slice.call(document.querySelectorAll("[data-desk]"));
    var counted = document.querySelector(".search.desk [role=status]");
    var sift = function () {
      var asked = {};
      controls.forEach(function (c) { asked[c.getAttribute("data-desk")] = c.type === "checkbox" ? c.checked : c.value; });
      var wanted = (asked.text || "").trim().toLowerCase();
      var hits = 0;
      lines.forEach(function (line) {
        var fits = (!asked.supplier || line.getAttribute("data-supplier") === asked.supplier)
          && (wanted === "" || line.getAttribute("data-text").toLowerCase().indexOf(wanted) >= 0)
          && (!asked.checks || line.getAttribute("data-checks") !== "0");
        line.hidden = !fits;
        if (fits) hits += 1;
      });
      counted.textContent = hits === lines.length ? "" : hits + " of " + lines.length + " orders";
    };
    controls.forEach(function (c) { c.addEventListener("input", sift); });
  }

  // ---- paper: what is folded is unfolded for the printer, and folded again ------------------------------------
  var opened = [];
  window.addEventListener("beforeprint", function () {
    opened = Array.prototype.slice.call(document.querySelectorAll("details:not([open]):not(.numbers)"));
    opened.forEach(function (d) { d.open = true; });
  });
  window.addEventListener("afterprint", function () {
    opened.forEach(function (d) { d.open = false; });
    opened = [];
  });
})();
