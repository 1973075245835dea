package templates

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func get(method, path string) *httptest.ResponseRecorder {
	answer := httptest.NewRecorder()
	Assets().ServeHTTP(answer, httptest.NewRequest(method, path, nil))
	return answer
}

func TestAnAssetIsServedForeverUnderTheNameItsPageGives(t *testing.T) {
	for name, contentType := range map[string]string{
		"style.css": "text/css; charset=utf-8", "script.js": "text/javascript; charset=utf-8", "icon.svg": "image/svg+xml",
	} {
		for _, base := range []string{"", "/w/abc"} {
			url, err := Frame{AssetBase: base}.Asset(name)
			if err != nil || !strings.HasPrefix(url, base+"/assets/") {
				t.Fatalf("Asset(%s) = %s, %v", name, url, err)
			}
			answer := get(http.MethodGet, url)
			h := answer.Header()
			if answer.Code != http.StatusOK || h.Get("Content-Type") != contentType ||
				h.Get("Cache-Control") != "public, max-age=31536000, immutable" || h.Get("X-Content-Type-Options") != "nosniff" {
				t.Errorf("%s: %d %v", url, answer.Code, h)
			}
			want, err := assetFiles.ReadFile("assets/" + name)
			if err != nil || answer.Body.String() != string(want) {
				t.Errorf("%s: another content than the file's (%v)", url, err)
			}
			if head := get(http.MethodHead, url); head.Code != http.StatusOK || head.Body.Len() != 0 {
				t.Errorf("HEAD %s: %d with %d bytes", url, head.Code, head.Body.Len())
			}
		}
	}
}

func TestNoOtherNameIsAnAsset(t *testing.T) {
	hashed := assetNames["style.css"]
	for _, path := range []string{
		"/assets/", "/assets/style.css", "/assets/style.000000000000.css", "/" + hashed, "/assets/x/" + hashed,
		"/assets/../templates.go", "/", "/w/abc/assets/",
	} {
		if answer := get(http.MethodGet, path); answer.Code != http.StatusNotFound || strings.Contains(answer.Header().Get("Cache-Control"), "immutable") {
			t.Errorf("%s: %d %v", path, answer.Code, answer.Header())
		}
	}
	if answer := get(http.MethodPost, "/assets/"+hashed); answer.Code != http.StatusMethodNotAllowed || answer.Header().Get("Allow") == "" {
		t.Errorf("POST: %d", answer.Code)
	}
}

func TestAnUnknownAssetFailsThePage(t *testing.T) {
	if url, err := (Frame{}).Asset("other.css"); err == nil {
		t.Errorf("got %s", url)
	}
}
