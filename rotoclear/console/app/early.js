// Before the first paint: the colours and the language that were chosen last time.
(() => {
  const root = document.documentElement;
  try {
    root.dataset.theme = localStorage.getItem("rotoclear-theme") ?? "auto";
    const language = localStorage.getItem("rotoclear-language") ?? navigator.language;
    root.lang = language.toLowerCase().startsWith("de") ? "de" : "en";
  } catch {
    // A browser that keeps nothing: as the system has it.
  }
  if (location.hash === "#wall") root.dataset.view = "wall";
})();
