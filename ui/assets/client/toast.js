// One line that a screen reader hears too.
window.diploToast = (text, ms = 4000) => {
  const place = document.getElementById("toast");
  const line = document.createElement("p");
  line.textContent = text;
  place.replaceChildren(line);
  setTimeout(() => line.remove(), ms);
};
