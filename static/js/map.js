// A map without tiles: areas and places from our own GeoJSON. The table beside it says the same.
import L from "leaflet";

const STYLE = { color: "#0b5a75", weight: 1.5, fillColor: "#0b5a75", fillOpacity: 0.12 };

function words(properties) {
  const element = document.createElement(properties.href ? "a" : "span");
  element.textContent = properties.name ?? "";
  if (properties.href) {
    element.href = properties.href;
    element.className = "govuk-link";
  }
  return element;
}

async function draw(element) {
  const answer = await fetch(element.dataset.source, { headers: { Accept: "application/geo+json, application/json" } });
  if (!answer.ok) return;
  const places = await answer.json();
  element.replaceChildren();
  element.setAttribute("role", "region");
  if (!element.hasAttribute("aria-label")) element.setAttribute("aria-label", "Map");
  const still = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
  const map = L.map(element, { attributionControl: false, zoomAnimation: !still, fadeAnimation: !still, scrollWheelZoom: false });
  const layer = L.geoJSON(places, {
    style: () => STYLE,
    pointToLayer: (feature, place) => L.circleMarker(place, { radius: feature.properties.radius ?? 7, color: "#fff", weight: 2, fillColor: "#7a1f5c", fillOpacity: 0.95 }),
    onEachFeature: (feature, part) => {
      part.bindPopup(() => words(feature.properties));
      if (feature.properties.name) part.bindTooltip(feature.properties.name);
    },
  }).addTo(map);
  const bounds = layer.getBounds();
  if (bounds.isValid()) map.fitBounds(bounds, { padding: [20, 20], maxZoom: 12, animate: false });
  else map.setView([52.8, -1.6], 6);
}

for (const element of document.querySelectorAll('[data-module="cg-map"]')) draw(element);
