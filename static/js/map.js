// Zooms a map drawn on the server. Leaflet only positions the drawing; no map tiles are loaded.
// The table beside the map says the same, and the drawing stays for paper and without this script.
import L from "leaflet";
import Supercluster from "supercluster";

const MAX_NAMED_AREAS = 30; // with more areas in view, their names would cover each other
const CLUSTER_RADIUS = 44; // in pixels: places closer together than this are one dot
const MAX_ZOOM = 14; // at this zoom every place is a dot of its own

// The drawing is in thousandths of a degree, with Mercator's latitude, and its y grows downwards.
function toLatLng(x, y) {
  const radians = (-y / 1000) * Math.PI / 180;
  return L.latLng((2 * Math.atan(Math.exp(radians)) - Math.PI / 2) * 180 / Math.PI, x / 1000);
}

const toBounds = ([left, top, right, bottom]) => L.latLngBounds(toLatLng(left, bottom), toLatLng(right, top));

function textElement(text, href) {
  const element = document.createElement(href ? "a" : "span");
  element.textContent = text;
  if (href) {
    element.href = href;
    element.className = "govuk-link";
  }
  return element;
}

// Returns a copy of the drawing as a layer, without its dots and names: these are drawn anew for each zoom.
function toOverlay(svg) {
  const copy = svg.cloneNode(true);
  for (const part of copy.querySelectorAll(".cg-map__places, .cg-map__names")) part.remove();
  const [left, top, right, bottom] = svg.dataset.whole.split(" ").map(Number);
  copy.setAttribute("viewBox", `${left} ${top} ${right - left} ${bottom - top}`);
  copy.setAttribute("preserveAspectRatio", "none");
  copy.removeAttribute("class");
  copy.removeAttribute("role");
  copy.removeAttribute("aria-label");
  copy.setAttribute("aria-hidden", "true");
  return L.svgOverlay(copy, toBounds([left, top, right, bottom]), { interactive: true });
}

// Adds the page's own parameters to the address of a table's row, such as `?page-areas=3#areas-E07000087`.
function addressOfRow(href) {
  if (!href.startsWith("?")) return href;
  const [changes, anchor] = href.split("#");
  const parameters = new URLSearchParams(window.location.search);
  for (const [name, value] of new URLSearchParams(changes)) parameters.set(name, value);
  return `?${parameters}#${anchor}`;
}

// Says what an area is while the pointer is over it, and links to its row on a click.
function describeAreas(map, overlay) {
  const tooltip = L.tooltip({ sticky: true, direction: "top" });
  const areaAt = (event) => event.originalEvent.target.closest?.("[data-words]");
  overlay.on("mousemove", (event) => {
    const area = areaAt(event);
    if (area) tooltip.setLatLng(event.latlng).setContent(textElement(area.dataset.words)).addTo(map);
    else tooltip.remove();
  });
  overlay.on("mouseout", () => tooltip.remove());
  overlay.on("click", (event) => {
    const area = areaAt(event);
    if (area) map.openPopup(textElement(area.dataset.words, addressOfRow(area.dataset.href)), event.latlng);
  });
}

// Writes the names of the areas in view, once there are few of them.
function nameAreas(map, svg) {
  const names = [...svg.querySelectorAll("[data-x]")].map((path) => [
    path.dataset.words.split(": ")[0],
    toLatLng(Number(path.dataset.x), Number(path.dataset.y)),
  ]);
  for (const text of svg.querySelectorAll(".cg-map__names text")) {
    if (svg.querySelector("[data-x]")) break;
    names.push([text.textContent, toLatLng(Number(text.getAttribute("x")), Number(text.getAttribute("y")))]);
  }
  const layer = L.layerGroup().addTo(map);
  const writeNames = () => {
    layer.clearLayers();
    const namesInView = names.filter(([, position]) => map.getBounds().contains(position));
    if (namesInView.length > MAX_NAMED_AREAS) return;
    for (const [name, position] of namesInView) {
      const label = L.tooltip({ permanent: true, direction: "center", className: "cg-map__name" });
      label.setLatLng(position).setContent(textElement(name)).addTo(layer);
    }
  };
  map.on("moveend", writeNames);
  writeNames();
}

// Returns a dot for one place, or for a cluster of places with their number, which zooms in on a click.
function markerFor(map, index, [lng, lat], properties) {
  const count = properties.cluster ? properties.point_count : 1;
  const icon = L.divIcon({
    className: `cg-map__dot${count > 1 ? " cg-map__dot--many" : ""}`,
    html: count > 1 ? textElement(String(count)) : "",
    iconSize: count > 1 ? [34, 34] : [18, 18],
  });
  const label = count > 1 ? `${count} sites: make the map larger` : properties.label ?? properties.name;
  const marker = L.marker([lat, lng], { icon, title: label, alt: label, keyboard: true });
  if (count > 1) {
    const zoom = () => Math.min(index.getClusterExpansionZoom(properties.cluster_id), MAX_ZOOM);
    marker.on("click", () => map.setView([lat, lng], zoom()));
  } else {
    marker.bindPopup(() => textElement(label, properties.href));
  }
  return marker;
}

async function addPlaces(map, address) {
  const response = await fetch(address, { headers: { Accept: "application/geo+json, application/json" } });
  if (!response.ok) return;
  const index = new Supercluster({ radius: CLUSTER_RADIUS, maxZoom: MAX_ZOOM - 1 }).load((await response.json()).features);
  const layer = L.layerGroup().addTo(map);
  const drawPlaces = () => {
    layer.clearLayers();
    const bounds = map.getBounds().pad(0.2); // places just outside appear at once when the map is moved
    const box = [bounds.getWest(), bounds.getSouth(), bounds.getEast(), bounds.getNorth()];
    for (const cluster of index.getClusters(box, Math.round(map.getZoom()))) {
      markerFor(map, index, cluster.geometry.coordinates, cluster.properties).addTo(layer);
    }
  };
  map.on("moveend", drawPlaces);
  drawPlaces();
}

function startMap(frame) {
  const svg = frame.querySelector("svg");
  if (!svg) return;
  const container = document.createElement("div");
  container.className = "cg-map__moving cg-no-print";
  container.setAttribute("role", "region");
  container.setAttribute("aria-label", svg.getAttribute("aria-label"));
  frame.append(container);
  frame.classList.add("cg-map__frame--moving");
  const reducesMotion = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
  const map = L.map(container, {
    attributionControl: false,
    zoomAnimation: !reducesMotion,
    fadeAnimation: !reducesMotion,
    scrollWheelZoom: false,
    zoomSnap: 0.25,
    maxZoom: MAX_ZOOM,
  });
  const { x, y, width, height } = svg.viewBox.baseVal;
  map.fitBounds(toBounds([x, y, x + width, y + height]), { animate: false });
  map.setMinZoom(map.getZoom() - 1);
  const overlay = toOverlay(svg).addTo(map);
  describeAreas(map, overlay);
  nameAreas(map, svg);
  if (frame.dataset.places) addPlaces(map, frame.dataset.places);
}

function startMapsIn(part) {
  for (const frame of part.querySelectorAll('[data-module="cg-map"]:not(.cg-map__frame--moving)')) startMap(frame);
}

startMapsIn(document);
// Maps in parts of a page that htmx fetches later.
document.addEventListener("htmx:load", (event) => startMapsIn(event.detail.elt));
