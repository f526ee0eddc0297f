import { DatePicker } from "@ministryofjustice/frontend/moj/components/date-picker/date-picker.mjs";

// The ministry's calendar beside a date box, which also opens at a date in words and writes one.
class WordsDatePicker extends DatePicker {
  formattedDateFromString(text, fallback) {
    const words = new Date(text);
    return /[a-z]/i.test(text) && !Number.isNaN(words.getTime()) ? words : super.formattedDateFromString(text, fallback);
  }

  formattedDateFromDate(date) {
    return date.toLocaleDateString("en-GB", { day: "numeric", month: "long", year: "numeric" });
  }
}

export function offerCalendar(root) {
  root.querySelector("input")?.classList.add("moj-js-datepicker-input");
  root.dataset.module = "moj-date-picker";
  new WordsDatePicker(root);
}
