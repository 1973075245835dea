// Makes the pages nicer; every one of them works without me. I never block
// what the server would allow: counting down only changes looks and words,
// since the sandbox's clock may run ahead of the browser's.
(() => {
  "use strict";
  const all = (selector, from = document) => Array.from(from.querySelectorAll(selector));

  // One submit per press. The marks are cleared when the page comes back from
  // the back/forward cache, and after a while in case no answer ever came.
  const release = (form) => {
    delete form.dataset.busy;
    all("button", form).forEach((b) => b.classList.remove("is-busy"));
  };
  const once = (form) => {
    form.addEventListener("submit", (event) => {
      if (form.dataset.busy) {
        event.preventDefault();
        return;
      }
      form.dataset.busy = "yes";
      // Not disabled: a disabled button would not send its name and value.
      if (event.submitter) event.submitter.classList.add("is-busy");
      setTimeout(() => release(form), 8000);
    });
  };
  all("form[data-once]").forEach(once);
  addEventListener("pageshow", (event) => {
    if (event.persisted) all("form[data-once]").forEach(release);
  });

  // Show the password while asked to; never send it shown, or the browser
  // would remember it as ordinary text.
  all("[data-reveal]").forEach((button) => {
    const input = document.getElementById(button.dataset.reveal);
    const show = button.textContent;
    const set = (shown) => {
      input.type = shown ? "text" : "password";
      button.textContent = shown ? button.dataset.hide : show;
    };
    button.hidden = false;
    button.addEventListener("click", () => set(input.type === "password"));
    input.form.addEventListener("submit", () => set(false));
  });

  // Countdowns measure against a deadline, so sleeping tabs stay right.
  all("[data-countdown]").forEach((element) => {
    const deadline = Date.now() + Number(element.dataset.countdown) * 1000;
    const clock = element.querySelector("[data-clock]");
    const done = element.parentElement.querySelector("[data-countdown-done]");
    const button = "waiting" in element.dataset ? element.closest("form").querySelector("button") : null;
    if (button) button.classList.add("is-waiting");
    const tick = () => {
      const left = Math.max(0, Math.ceil((deadline - Date.now()) / 1000));
      clock.textContent = Math.floor(left / 60) + ":" + String(left % 60).padStart(2, "0");
      if (left > 0) {
        setTimeout(tick, 500);
        return;
      }
      element.hidden = true;
      done.hidden = false;
      if (button) button.classList.remove("is-waiting");
      element.dispatchEvent(new Event("countdown-done", { bubbles: true }));
    };
    tick();
  });

  // The QR code: the server tells what the phone does, and the page that waits
  // has the words for it. A tab that nobody sees listens to nothing,
  // since a browser opens few connections to one host; it hears the present
  // state when it is shown again.
  all("[data-qr-url]").forEach((part) => {
    const next = part.dataset.qrNextUrl;
    const slots = (from) => new Map(all("[data-qr-slot]", from).map((slot) => [slot.dataset.qrSlot, slot]));
    let source = null;
    let retry = null;
    let pause = 1000;
    let over = false;
    const go = () => {
      over = true;
      close();
      location.assign(next);
    };
    const redraw = async () => {
      // Not followed: where a login goes on is a matter of the whole page.
      const answer = await fetch(part.dataset.qrWaitUrl, { credentials: "same-origin", redirect: "manual", signal: AbortSignal.timeout(10000) });
      if (answer.status >= 500) throw new Error("status " + answer.status);
      const fresh = slots(new DOMParser().parseFromString(await answer.text(), "text/html"));
      if (!fresh.size) return go(); // the login is past this page
      slots(part).forEach((slot, name) => {
        const now = fresh.get(name);
        if (!now || (name === "code" && now.children.length)) return; // the code is still good
        slot.replaceChildren(...now.childNodes);
        all("form[data-once]", slot).forEach(once);
      });
    };
    const tell = () => redraw().catch(() => {}); // the link to the page that waits stays
    const close = () => {
      clearTimeout(retry);
      if (source) source.close();
      source = null;
    };
    const open = () => {
      if (over || document.hidden || source) return;
      clearTimeout(retry);
      source = new EventSource(part.dataset.qrUrl);
      source.addEventListener("open", () => (pause = 1000));
      source.addEventListener("error", () => {
        close();
        // Every answer but a stream is an error too, so at some time enough is
        // enough.
        if (pause < 60000) retry = setTimeout(open, pause + Math.random() * 1000);
        pause *= 2;
      });
      source.addEventListener("scanned", tell);
      ["replaced", "expired"].forEach((last) => source.addEventListener(last, () => {
        over = true;
        close();
        tell();
      }));
      source.addEventListener("crowded", close); // other tabs took the place; again when this one is looked at
      source.addEventListener("go", go);
    };
    // Going on must not cut off a form that is on its way.
    document.addEventListener("submit", (event) => event.defaultPrevented || close());
    document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()));
    addEventListener("pagehide", close);
    addEventListener("pageshow", (event) => event.persisted && open());
    part.addEventListener("countdown-done", () => setTimeout(tell, 1000)); // in case the stream is down
    open();
  });

  // The inbox: fetch this same page and take over what is new in its list.
  all("[data-live]").forEach((status) => {
    const list = document.getElementById(status.dataset.live);
    const fine = status.textContent;
    const say = (text) => {
      if (status.textContent !== text) status.textContent = text;
    };
    const update = async () => {
      const answer = await fetch(location.href, { credentials: "same-origin", signal: AbortSignal.timeout(10000) });
      if (!answer.ok) throw new Error("status " + answer.status);
      const next = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById(list.id);
      if (!next) throw new Error("no list");
      const fresh = Array.from(next.children);
      const ids = new Set(fresh.map((item) => item.id));
      Array.from(list.children).forEach((item) => ids.has(item.id) || item.remove());
      const known = new Set(Array.from(list.children, (item) => item.id));
      fresh.forEach((item, at) => known.has(item.id) || list.insertBefore(item, list.children[at] || null));
    };
    const loop = async () => {
      if (!document.hidden) {
        await update().then(() => say(fine), () => say(status.dataset.lost));
      }
      setTimeout(loop, 2000);
    };
    status.hidden = false;
    setTimeout(loop, 2000);
  });
})();
