//go:build browser

package templates

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"testing"
)

// The storybook under axe-core in a real Chromium: every page state in both
// languages, with the headers it has in life.
func TestNoPageStateHasABarrier(t *testing.T) {
	mux := http.NewServeMux()
	mux.Handle("GET /assets/", Assets())
	var paths []string
	for _, lang := range []Lang{Vi, En} {
		for name, view := range FixturesIn(lang) {
			html, path := render(t, view), "/"+string(lang)+"/"+name
			paths = append(paths, path)
			mux.HandleFunc("GET "+path, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "text/html; charset=utf-8")
				w.Header().Set("Content-Security-Policy", CSP())
				w.Write([]byte(html))
			})
		}
	}
	server := httptest.NewServer(mux)
	defer server.Close()
	list, err := json.Marshal(paths)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("node", "--test", "--test-reporter=spec", "axe-storybook.test.mjs")
	cmd.Dir = "../e2e/browser"
	cmd.Env = append(os.Environ(), "STORYBOOK="+server.URL, "PAGES="+string(list))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v (make test-tools installs what this needs)\n%s", err, out)
	}
}
