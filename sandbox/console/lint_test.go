package console_test

import (
	"strings"
	"testing"
)

func TestTheLintOfAClientLeadsToItsEvidence(t *testing.T) {
	d := open(t, nil)
	d.get("/console/lint", "chưa ghi gì", `href="/console/lint/my-portal"`, banner)
	d.get("/console/lint/my-portal", "Chưa ghi được gì của client này")
	d.begin("state", "L2hvLXNv") // /ho-so
	page := d.get("/console/lint/my-portal", "state chứa một địa chỉ", "state carries an address", "RFC 9700", "bước 1", `id="state.url"`)
	_, rest, _ := strings.Cut(page, `href="/console/logins/`)
	place, _, found := strings.Cut(rest, `"`)
	id, step, _ := strings.Cut(place, "#")
	if !found || step != "step-1" {
		t.Fatalf("no link to the step: %.200s", rest)
	}
	d.get("/console/logins/"+id, `id="`+step+`"`)
	if strings.Contains(page, "/ho-so") {
		t.Error("what the state hides is shown")
	}
	d.get("/console/lint?lang=en", "What each client could do better", "errors: 1", "warnings: 2")
	d.get("/console/lint?after=my-portal", `href="/console/lint/thanhhoa-portal"`)
	if resp, _ := d.send("GET", "/console/lint/nobody", nil); resp.StatusCode != 404 {
		t.Errorf("no such client: %d", resp.StatusCode)
	}
}
