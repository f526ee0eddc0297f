// Zooms a map drawn on the server. Leaflet only positions the drawing; no map tiles are loaded.
// The table beside the map says the same, and the drawing stays for paper and without this script.
import L from "leaflet";
import Supercluster from "supercluster";

const CLOSE = 30; // areas in view below which their names are written
const RADIUS = 44; // pixels within which places are one dot

const degrees = (x, y) => L.latLng((2 * Math.atan(Math.exp((-y / 1000) * Math.PI / 180)) - Math.PI / 2) * 180 / Math.PI, x / 1000);
const around = ([left, top, right, bottom]) => L.latLngBounds(degrees(left, bottom), degrees(right, top));

function words(text, href) {
  const element = document.createElement(href ? "a" : "span");
  element.textContent = text;
  if (href) {
    element.href = href;
    element.className = "govuk-link";
  }
  return element;
}

// The drawing again, as a layer; the dots and names in it are drawn anew for each size.
function drawn(svg) {
  const copy = svg.cloneNode(true);
  for (const part of copy.querySelectorAll(".cg-map__places, .cg-map__names")) part.remove();
  const [left, top, right, bottom] = svg.dataset.whole.split(" ").map(Number);
  copy.setAttribute("viewBox", `${left} ${top} ${right - left} ${bottom - top}`);
  copy.setAttribute("preserveAspectRatio", "none");
  copy.removeAttribute("class");
  copy.removeAttribute("role");
  copy.removeAttribute("aria-label");
  copy.setAttribute("aria-hidden", "true");
  return L.svgOverlay(copy, around([left, top, right, bottom]), { interactive: true });
}

// The page's own address with the page of a table that an area is on: `?page-areas=3#areas-E07000087`.
function rowOf(href) {
  if (!href.startsWith("?")) return href;
  const [changed, place] = href.split("#");
  const all = new URLSearchParams(window.location.search);
  for (const [name, value] of new URLSearchParams(changed)) all.set(name, value);
  return `?${all}#${place}`;
}

function tellOfAreas(map, overlay) {
  const tip = L.tooltip({ sticky: true, direction: "top" });
  const of = (event) => event.originalEvent.target.closest?.("[data-words]");
  overlay.on("mousemove", (event) => {
    const area = of(event);
    if (area) tip.setLatLng(event.latlng).setContent(words(area.dataset.words)).addTo(map);
    else tip.remove();
  });
  overlay.on("mouseout", () => tip.remove());
  overlay.on("click", (event) => {
    const area = of(event);
    if (area) map.openPopup(words(area.dataset.words, rowOf(area.dataset.href)), event.latlng);
  });
}

function nameAreas(map, svg) {
  const names = [...svg.querySelectorAll("[data-x]")].map((path) => [path.dataset.words.split(": ")[0], degrees(Number(path.dataset.x), Number(path.dataset.y))]);
  for (const text of svg.querySelectorAll(".cg-map__names text")) {
    if (!svg.querySelector("[data-x]")) names.push([text.textContent, degrees(Number(text.getAttribute("x")), Number(text.getAttribute("y")))]);
  }
  const layer = L.layerGroup().addTo(map);
  const write = () => {
    layer.clearLayers();
    const seen = names.filter(([, place]) => map.getBounds().contains(place));
    if (seen.length > CLOSE) return;
    for (const [name, place] of seen) L.tooltip({ permanent: true, direction: "center", className: "cg-map__name" }).setLatLng(place).setContent(words(name)).addTo(layer);
  };
  map.on("moveend", write);
  write();
}

function dot(map, index, [lng, lat], properties) {
  const many = properties.cluster ? properties.point_count : 1;
  const icon = L.divIcon({ className: `cg-map__dot${many > 1 ? " cg-map__dot--many" : ""}`, html: many > 1 ? words(String(many)) : "", iconSize: many > 1 ? [34, 34] : [18, 18] });
  const text = many > 1 ? `${many} sites: make the map larger` : properties.label ?? properties.name;
  const marker = L.marker([lat, lng], { icon, title: text, alt: text, keyboard: true });
  if (many > 1) marker.on("click", () => map.setView([lat, lng], Math.min(index.getClusterExpansionZoom(properties.cluster_id), 14)));
  else marker.bindPopup(() => words(text, properties.href));
  return marker;
}

async function addPlaces(map, address) {
  const answer = await fetch(address, { headers: { Accept: "application/geo+json, application/json" } });
  if (!answer.ok) return;
  const index = new Supercluster({ radius: RADIUS, maxZoom: 13 }).load((await answer.json()).features);
  const layer = L.layerGroup().addTo(map);
  const draw = () => {
    layer.clearLayers();
    const bounds = map.getBounds().pad(0.2);
    const box = [bounds.getWest(), bounds.getSouth(), bounds.getEast(), bounds.getNorth()];
    for (const one of index.getClusters(box, Math.round(map.getZoom()))) dot(map, index, one.geometry.coordinates, one.properties).addTo(layer);
  };
  map.on("moveend", draw);
  draw();
}

function begin(frame) {
  const svg = frame.querySelector("svg");
  if (!svg) return;
  const place = document.createElement("div");
  place.className = "cg-map__moving cg-no-print";
  place.setAttribute("role", "region");
  place.setAttribute("aria-label", svg.getAttribute("aria-label"));
  frame.append(place);
  frame.classList.add("cg-map__frame--moving");
  const still = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
  const map = L.map(place, { attributionControl: false, zoomAnimation: !still, fadeAnimation: !still, scrollWheelZoom: false, zoomSnap: 0.25, maxZoom: 14 });
  const { x, y, width, height } = svg.viewBox.baseVal;
  map.fitBounds(around([x, y, x + width, y + height]), { animate: false });
  map.setMinZoom(map.getZoom() - 1);
  const overlay = drawn(svg).addTo(map);
  tellOfAreas(map, overlay);
  nameAreas(map, svg);
  if (frame.dataset.places) addPlaces(map, frame.dataset.places);
}

function beginIn(part) {
  for (const frame of part.querySelectorAll('[data-module="cg-map"]:not(.cg-map__frame--moving)')) begin(frame);
}

beginIn(document);
document.addEventListener("htmx:load", (event) => beginIn(event.detail.elt));
