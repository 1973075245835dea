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
  all("form[data-once]").forEach((form) => {
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
  });
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

  // The QR code: the server tells what the phone does. A tab that nobody sees
  // listens to nothing, since a browser opens few connections to one host; it
  // hears the present state when it is shown again.
  all("[data-qr-url]").forEach((part) => {
    let source = null;
    let retry = null;
    let pause = 1000;
    let over = false;
    const show = (state) => {
      all("[data-qr-state]", part).forEach((e) => (e.hidden = e.dataset.qrState !== state));
      all("[data-qr-again]", part).forEach((e) => (e.hidden = state === "fresh"));
    };
    const close = () => {
      clearTimeout(retry);
      if (source) source.close();
      source = null;
    };
    const end = (state) => {
      over = true;
      close();
      if (state) show(state);
    };
    const open = () => {
      if (over || document.hidden || source) return;
      clearTimeout(retry);
      source = new EventSource(part.dataset.qrUrl);
      source.addEventListener("open", () => (pause = 1000));
      source.addEventListener("error", () => {
        close();
        // Every answer but a stream is an error too, so at some time enough is
        // enough: the link to the page that waits stays.
        if (pause > 60000) return end();
        retry = setTimeout(open, pause + Math.random() * 1000);
        pause *= 2;
      });
      source.addEventListener("scanned", (event) => {
        const news = JSON.parse(event.data);
        const put = (name, text) => all("[data-qr-" + name + "]", part).forEach((e) => (e.textContent = text));
        put("by", news.by);
        put("at", news.time);
        put("digits", news.digits || "");
        all("[data-qr-match]", part).forEach((e) => (e.hidden = !news.digits));
        show("scanned");
      });
      source.addEventListener("replaced", () => end("elsewhere"));
      source.addEventListener("expired", () => end("expired"));
      source.addEventListener("crowded", close); // another tab took the place; again when this one is looked at
      source.addEventListener("go", () => {
        end();
        location.assign(part.dataset.qrNextUrl);
      });
    };
    // Going on must not cut off a form that is on its way.
    document.addEventListener("submit", (event) => {
      if (!event.defaultPrevented) close();
    });
    document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()));
    addEventListener("pagehide", close);
    addEventListener("pageshow", (event) => event.persisted && open());
    part.addEventListener("countdown-done", () => over || show("expired"));
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

  // response_mode=form_post: what the button would do, without the press. Not
  // again when somebody comes back to this page.
  const form = document.querySelector("form[data-autosubmit]");
  if (form && performance.getEntriesByType("navigation")[0]?.type !== "back_forward") form.submit();
})();
