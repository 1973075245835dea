// The phone app's script: the camera, the screen, pasted pictures, and codes
// that come while one looks. Without me a picture, a typed code and a reload do
// the same. What I find goes out by the forms of the page: I sign nothing in.
(() => {
  "use strict";
  const find = (selector) => document.querySelector(selector);

  // Codes come and go while the home screen is open.
  const live = find("[data-phone-live]");
  if (live) {
    const update = async () => {
      const answer = await fetch(location.href, { credentials: "same-origin", signal: AbortSignal.timeout(10000) });
      if (!answer.ok) return;
      const next = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("[data-phone-live]");
      if (!next) {
        location.reload(); // the app stands elsewhere now
        return;
      }
      const list = live.querySelector("ul");
      const fresh = Array.from(next.querySelectorAll("li"));
      Array.from(list.children).forEach((item) => fresh.some((f) => f.id === item.id) || item.remove());
      fresh.forEach((item, at) => {
        const known = document.getElementById(item.id);
        if (!known) {
          list.insertBefore(item, list.children[at] || null);
          return;
        }
        const clock = item.querySelector(".clock");
        if (clock) known.querySelector(".clock").textContent = clock.textContent;
      });
    };
    const loop = async () => {
      if (!document.hidden) await update().catch(() => {});
      setTimeout(loop, 2000);
    };
    setTimeout(loop, 2000);
  }

  const scanner = find("[data-scanner]");
  if (!scanner) return;
  const part = (name) => scanner.querySelector("[data-scanner-" + name + "]");
  const video = scanner.querySelector("video");
  const status = part("status");
  const media = navigator.mediaDevices;
  let stream = null;
  let sent = false;

  const say = (text) => (status.textContent = text);
  const show = (element, shown) => (element.hidden = !shown);

  scanner.hidden = false;
  show(part("camera"), media && media.getUserMedia);
  show(part("screen"), media && media.getDisplayMedia);
  show(part("insecure"), !window.isSecureContext);

  const useCode = (code) => {
    if (sent) return;
    sent = true;
    stop();
    say(scanner.dataset.found);
    const form = find("form[data-code]");
    form.elements.code.value = code;
    form.requestSubmit();
  };

  const stop = () => {
    if (stream) stream.getTracks().forEach((track) => track.stop());
    stream = null;
    show(video, false);
    show(part("stop"), false);
    say("");
  };

  // The browser's own detector where there is one; else the sandbox looks at
  // the frame. Either way nothing leaves this machine and the sandbox.
  const detector = async () => {
    try {
      const formats = await BarcodeDetector.getSupportedFormats();
      if (formats.includes("qr_code")) {
        const native = new BarcodeDetector({ formats: ["qr_code"] });
        return async (canvas) => (await native.detect(canvas))[0]?.rawValue;
      }
    } catch {
      // Not in this browser.
    }
    return async (canvas) => {
      const frame = await new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.85));
      const answer = await fetch(scanner.dataset.pictures, { method: "POST", headers: { "Content-Type": "image/jpeg" }, body: frame, credentials: "same-origin" });
      return answer.status === 200 ? (await answer.json()).code : undefined;
    };
  };

  const look = async (open, longest) => {
    stop();
    try {
      stream = await open();
    } catch {
      say(scanner.dataset.denied);
      return;
    }
    const mine = stream;
    video.srcObject = stream;
    show(video, true);
    show(part("stop"), true);
    say(scanner.dataset.looking);
    mine.getVideoTracks()[0].addEventListener("ended", () => mine === stream && stop());
    await video.play().catch(() => {});
    const detect = await detector();
    const canvas = document.createElement("canvas");
    while (mine === stream) {
      const scale = Math.min(1, longest / Math.max(video.videoWidth, video.videoHeight, 1));
      canvas.width = video.videoWidth * scale;
      canvas.height = video.videoHeight * scale;
      if (canvas.width > 0) {
        canvas.getContext("2d").drawImage(video, 0, 0, canvas.width, canvas.height);
        const code = await detect(canvas).catch(() => undefined);
        if (code && mine === stream) useCode(code);
      }
      await new Promise((done) => setTimeout(done, 400));
    }
  };

  part("camera").addEventListener("click", () => look(() => media.getUserMedia({ video: { facingMode: "environment", width: { ideal: 1280 } } }), 1000));
  part("screen").addEventListener("click", () => look(() => media.getDisplayMedia({ video: true }), 2000));
  part("stop").addEventListener("click", stop);
  addEventListener("pagehide", stop);

  // A picture: chosen, pasted or dropped.
  const form = find("form[data-picture]");
  const input = form.elements.picture;
  const take = (files) => {
    const image = Array.from(files).find((file) => /^image\/(png|jpeg)$/.test(file.type));
    if (!image) return false;
    const transfer = new DataTransfer();
    transfer.items.add(image);
    input.files = transfer.files;
    form.requestSubmit();
    return true;
  };
  input.addEventListener("change", () => input.files.length && form.requestSubmit());
  addEventListener("paste", (event) => take(event.clipboardData.files) && event.preventDefault());
  addEventListener("dragover", (event) => {
    event.preventDefault();
    form.classList.add("dropping");
  });
  addEventListener("dragleave", () => form.classList.remove("dropping"));
  addEventListener("drop", (event) => {
    event.preventDefault();
    form.classList.remove("dropping");
    take(event.dataTransfer.files);
  });
})();
