const box = document.getElementById("refresh");
const news = document.getElementById("news");
box.closest("label").hidden = false;
let newest = document.getElementById("live").dataset.newest;
setInterval(async () => {
  const live = document.getElementById("live");
  // A reader with the focus in the list would lose it.
  if (!box.checked || document.hidden || live.contains(document.activeElement)) return;
  const response = await fetch(location.href, { headers: { "x-portal-part": "live" } }).catch(() => null);
  if (!response?.ok) {
    news.textContent = "The server does not respond.";
    return;
  }
  const fresh = new DOMParser().parseFromString(await response.text(), "text/html").getElementById("live");
  if (!fresh || fresh.dataset.newest === newest) return;
  const count = Number(fresh.dataset.newest) - Number(newest);
  news.textContent = count > 0 ? `${count} new ${count === 1 ? "request" : "requests"}` : "The journal was cleared.";
  newest = fresh.dataset.newest;
  live.replaceWith(document.adoptNode(fresh));
}, 1500);
