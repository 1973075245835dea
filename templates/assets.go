package templates

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"net/http"
	"path"
	"strings"
	"time"
)

//go:embed assets
var assetFiles embed.FS

type asset struct {
	contentType string
	body        []byte
}

// assetNames maps "style.css" to "style.<hash>.css", assets the latter to the
// content. A changed file gets a new URL, so browsers may keep the old forever.
var assetNames, assets = readAssets()

var assetTypes = map[string]string{
	".css": "text/css; charset=utf-8",
	".js":  "text/javascript; charset=utf-8",
	".svg": "image/svg+xml",
}

func readAssets() (map[string]string, map[string]asset) {
	names, files := map[string]string{}, map[string]asset{}
	entries, err := assetFiles.ReadDir("assets")
	if err != nil {
		panic(err) // embedded at build time
	}
	for _, e := range entries {
		body, err := assetFiles.ReadFile("assets/" + e.Name())
		if err != nil {
			panic(err)
		}
		ext := path.Ext(e.Name())
		sum := sha256.Sum256(body)
		hashed := strings.TrimSuffix(e.Name(), ext) + "." + hex.EncodeToString(sum[:6]) + ext
		names[e.Name()] = hashed
		files[hashed] = asset{assetTypes[ext], body}
	}
	return names, files
}

// Assets serves …/assets/<name>.<hash>.<ext>; whatever stands before /assets/
// (a world's prefix) does not matter. Only exact current names exist.
func Assets() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
			return
		}
		_, name, _ := strings.Cut(r.URL.Path, "/assets/")
		file, ok := assets[name]
		if !ok {
			w.Header().Set("Cache-Control", "no-store")
			http.Error(w, "no such asset", http.StatusNotFound)
			return
		}
		h := w.Header()
		h.Set("Content-Type", file.contentType)
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
		h.Set("X-Content-Type-Options", "nosniff")
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(file.body))
	})
}
