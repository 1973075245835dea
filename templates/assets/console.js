// Makes the console live; every page of it works without me.
(() => {
  "use strict";
  const all = (selector, from = document) => Array.from(from.querySelectorAll(selector));

  // Copy what stands beside a button.
  const copyable = (from) => all("[data-copy]", from).forEach((button) => {
    if (!navigator.clipboard) return; // only where the browser lets pages write there
    const says = button.textContent;
    button.hidden = false;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(button.dataset.copy);
      button.textContent = button.dataset.done;
      button.classList.add("done");
      setTimeout(() => {
        button.textContent = says;
        button.classList.remove("done");
      }, 2000);
    });
  });
  copyable(document);

  // Keep a part of the page as the server would draw it now. A tab that nobody
  // sees asks for nothing, and no part changes under somebody's hands.
  const every = 2000; // milliseconds
  all("[data-refresh]").forEach((status) => {
    const id = status.dataset.refresh;
    const fine = status.textContent;
    let last = document.getElementById(id).innerHTML;
    const say = (text) => {
      if (status.textContent !== text) status.textContent = text;
      status.classList.toggle("lost", text !== fine);
    };
    const update = async () => {
      const answer = await fetch(location.href, { credentials: "same-origin", signal: AbortSignal.timeout(10000) });
      if (!answer.ok) throw new Error("status " + answer.status);
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById(id);
      if (!fresh) throw new Error("no " + id);
      const now = document.getElementById(id);
      if (fresh.innerHTML === last || now.contains(document.activeElement) || now.querySelector("[data-busy]")) return;
      last = fresh.innerHTML;
      if (!now.matches("ol")) {
        now.replaceChildren(...fresh.childNodes);
        return;
      }
      // Of a list only what is new, so that a screen reader says no more.
      const items = Array.from(fresh.children);
      const ids = new Set(items.map((item) => item.id));
      Array.from(now.children).forEach((item) => ids.has(item.id) || item.remove());
      const known = new Set(Array.from(now.children, (item) => item.id));
      items.forEach((item, at) => known.has(item.id) || now.insertBefore(item, now.children[at] || null));
    };
    const loop = async () => {
      if (!document.hidden) await update().then(() => say(fine), () => say(status.dataset.lost));
      setTimeout(loop, every);
    };
    status.hidden = false;
    setTimeout(loop, every);
  });

  // The clock of the world runs on from where the page found it.
  all("[data-clock-now]").forEach((face) => {
    const [, date] = face.dataset.clockNow.match(/^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d)$/) || [];
    if (!date) return;
    const start = Date.parse(date + "Z"); // the wall clock of the zone, read as if it were UTC
    const since = performance.now();
    const two = (n) => String(n).padStart(2, "0");
    setInterval(() => {
      const t = new Date(start + performance.now() - since);
      face.textContent = `${two(t.getUTCHours())}:${two(t.getUTCMinutes())}:${two(t.getUTCSeconds())} ${two(t.getUTCDate())}/${two(t.getUTCMonth() + 1)}/${t.getUTCFullYear()}`;
    }, 1000);
  });
})();
