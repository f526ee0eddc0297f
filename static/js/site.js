// Starts the components of a page. Each of them can be used before this script runs, or without it.
import {
  Accordion, Button, CharacterCount, Checkboxes, createAll, ErrorSummary, NotificationBanner, PasswordInput, Radios,
  ServiceNavigation, SkipLink, Tabs,
} from "govuk-frontend";
import { SortableTable } from "@ministryofjustice/frontend/moj/components/sortable-table/sortable-table.mjs";
import { enhanceMultiple, enhanceSelect } from "./autocomplete.js";
import { offerCopying, offerPrinting } from "./buttons.js";
import { narrowChoices, showWhen } from "./conditions.js";
import { offerCalendar } from "./dates.js";
import { leaveForOtherPages, sayWhatFailed } from "./fetched.js";
import { foldOnPhones } from "./fold.js";
import { totalHomes } from "./homes.js";
import { dismissSuggestions } from "./suggestions.js";
import { keepDraftWarning } from "./unsaved.js";

const GOVUK_COMPONENTS = [
  Accordion, Button, CharacterCount, Checkboxes, ErrorSummary, NotificationBanner, PasswordInput, Radios, ServiceNavigation,
  SkipLink, Tabs, SortableTable,
];

// What starts an element with this `data-module`.
const OWN_COMPONENTS = {
  "cg-autocomplete": enhanceSelect,
  "cg-autocomplete-multiple": enhanceMultiple,
  "cg-copy": offerCopying,
  "cg-date": offerCalendar,
  "cg-fold": foldOnPhones,
  "cg-homes": totalHomes,
  "cg-narrows": narrowChoices,
  "cg-print": offerPrinting,
  "cg-suggest": dismissSuggestions,
  "cg-unsaved": keepDraftWarning,
};

function start(scope) {
  for (const component of GOVUK_COMPONENTS) createAll(component, undefined, scope);
  for (const [name, enhance] of Object.entries(OWN_COMPONENTS)) {
    const elements = [...scope.querySelectorAll(`[data-module="${name}"]`)];
    if (scope.matches?.(`[data-module="${name}"]`)) elements.push(scope);
    for (const element of elements) {
      if (element.dataset.started) continue;
      element.dataset.started = "yes";
      enhance(element);
    }
  }
}

// On a phone the tabs are one line, which begins with the current tab if that is out of view.
const tab = document.querySelector(".moj-sub-navigation__link[aria-current]");
const tabs = tab?.closest(".moj-sub-navigation__list");
const isOutOfView = tabs && tab.getBoundingClientRect().right > tabs.getBoundingClientRect().right;
if (isOutOfView) tabs.scrollLeft = tab.offsetLeft - tabs.offsetLeft;

for (const field of document.querySelectorAll("[data-shown-when]")) showWhen(field);
start(document.body);
// Parts of a page that htmx fetches later.
document.body.addEventListener("htmx:load", (event) => {
  if (event.detail.elt !== document.body) start(event.detail.elt);
});
document.body.addEventListener("htmx:beforeSwap", leaveForOtherPages);
for (const failure of ["htmx:responseError", "htmx:sendError"]) document.body.addEventListener(failure, sayWhatFailed);
