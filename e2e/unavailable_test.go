//go:build e2e

package e2e_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
)

// What people and programs are told while the database cannot be used.

// wantUnavailable checks what a program is told.
func (a *answer) wantUnavailable(t *testing.T, what string) {
	t.Helper()
	if a.Status != http.StatusServiceUnavailable || a.Header.Get("Retry-After") == "" || a.str("error") != "temporarily_unavailable" {
		t.Errorf("%s: %s (Retry-After %q), want 503 temporarily_unavailable", what, a, a.Header.Get("Retry-After"))
	}
	if inside := leaks(a.Raw); inside != "" {
		t.Errorf("%s shows %q: %s", what, inside, a)
	}
}

// wantUnavailablePage checks what a person is told.
func (v *visitor) wantUnavailablePage(what string) {
	v.t.Helper()
	if v.at.Status != http.StatusServiceUnavailable || v.at.Header.Get("Retry-After") == "" || !strings.Contains(v.at.Text(), "tạm thời không phục vụ được") {
		v.t.Errorf("%s: %d, Retry-After %q, want a page with 503: %s", what, v.at.Status, v.at.Header.Get("Retry-After"), v.describe())
	}
	if inside := leaks(v.at.Body); inside != "" {
		v.t.Errorf("%s shows %q: %s", what, inside, v.describe())
	}
}

// goBack is the browser's button: the page as it was, with what can be typed there.
func (v *visitor) goBack(to *page) {
	v.at, v.filled = to, map[*element]string{}
}

// insides are words of the inside of the server. Short ones count as whole words
// only: a page quotes its address, which holds random letters.
var insides = regexp.MustCompile(`(?i)postgres|\bpgx\b|\bgorm\b|sqlstate|sqlite|storage:|dial |socket|connection re|goroutine|\.go:|disk i/o|/tmp/`)

// leaks says what of the inside of the server an answer shows, "" = nothing.
func leaks(text string) string { return insides.FindString(text) }
