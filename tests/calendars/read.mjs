// Reads calendar files (a JSON list of texts on standard input) with ical.js, Thunderbird's parser, and prints what it
// understood as JSON.
import ICAL from "ical.js";

const time = (value) =>
  value && { day: value.isDate ? value.toString() : null, moment: value.isDate ? null : value.toUnixTime() };

function read(text) {
  const calendar = new ICAL.Component(ICAL.parse(text));
  const events = calendar.getAllSubcomponents("vevent").map((component) => {
    const event = new ICAL.Event(component);
    const said = (name) => component.getFirstPropertyValue(name);
    const attendee = component.getFirstProperty("attendee");
    return {
      uid: event.uid,
      title: event.summary,
      sequence: event.sequence,
      status: said("status"),
      starts: time(event.startDate),
      ends: time(event.endDate),
      place: event.location,
      words: event.description,
      url: said("url"),
      kinds: component.getFirstProperty("categories").getValues(),
      organiser: said("organizer"),
      attendee: attendee && { address: attendee.getFirstValue(), name: attendee.getParameter("cn") },
    };
  });
  return {
    method: calendar.getFirstPropertyValue("method"),
    name: calendar.getFirstPropertyValue("name"),
    zones: calendar.getAllSubcomponents("vtimezone").map((zone) => zone.getFirstPropertyValue("tzid")),
    events,
  };
}

let given = "";
for await (const part of process.stdin) given += part;
process.stdout.write(JSON.stringify(JSON.parse(given).map(read)));
