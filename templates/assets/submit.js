// response_mode=form_post: what the button would do, without the press. Not
// again when somebody comes back to this page. A file of its own in the words
// of old browsers: those of test suites read no newer ones.
(function () {
  "use strict";
  var form = document.querySelector("form[data-autosubmit]");
  var entries = window.performance && performance.getEntriesByType ? performance.getEntriesByType("navigation") : [];
  if (form && !(entries && entries.length && entries[0].type === "back_forward")) {
    form.submit();
  }
})();
