import { DatePicker } from "@ministryofjustice/frontend/moj/components/date-picker/date-picker.mjs";

// A calendar beside a date box. It also opens at a date in words, such as “3 March 2027”, and writes one.
class WordsDatePicker extends DatePicker {
  formattedDateFromString(text, fallback) {
    const date = new Date(text);
    return /[a-z]/i.test(text) && !Number.isNaN(date.getTime()) ? date : super.formattedDateFromString(text, fallback);
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
