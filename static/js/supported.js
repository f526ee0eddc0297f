// Marks the body, before anything is drawn, so that styles know that scripts run.
document.body.className += " js-enabled" + ("noModule" in HTMLScriptElement.prototype ? " govuk-frontend-supported" : "");
