"use strict";
for (const box of document.querySelectorAll(".compare")) {
  const slider = document.createElement("input");
  const names = [...box.querySelectorAll("figcaption")].map(e => e.textContent);
  Object.assign(slider, { type: "range", min: 0, max: 100, value: 50 });
  slider.setAttribute("aria-label", `Left of the line: ${names[0]}; right of it: ${names[1]}`);
  const cut = () => {
    box.style.setProperty("--cut", `${slider.value}%`);
    slider.setAttribute("aria-valuetext", `${slider.value} % ${names[0]}`);
  };
  const pair = box.querySelector(".pair");
  const follow = e => {
    const place = pair.getBoundingClientRect();
    slider.value = 100 * (e.clientX - place.left) / place.width;
    cut();
  };
  pair.addEventListener("pointerdown", e => { pair.setPointerCapture(e.pointerId); follow(e); });
  pair.addEventListener("pointermove", e => { if (pair.hasPointerCapture(e.pointerId)) follow(e); });
  slider.addEventListener("input", cut);
  box.append(slider);
  box.classList.add("live");
  cut();
}
for (const box of document.querySelectorAll(".copy")) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "Copy";
  button.setAttribute("aria-label", "Copy the lines above");
  button.addEventListener("click", async () => {
    const text = box.querySelector("code");
    try {
      await navigator.clipboard.writeText(text.textContent);
      button.textContent = "Copied";
      setTimeout(() => { button.textContent = "Copy"; }, 2000);
    } catch {
      getSelection().selectAllChildren(text);
      button.textContent = "Selected: press Ctrl+C";
    }
  });
  box.append(button);
}
