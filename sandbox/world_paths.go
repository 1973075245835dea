package sandbox

import (
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/vneid-sandbox/vneid-sandbox/sandbox/api"
	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// around finds the world of each request by its path, /w/abc/… and at the API
// /api/v1/w/abc/…, and hands the rest of the path on.
func (ws *worlds) around(p *pages, names *issuers, maxBody int64, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id, rest := splitWorld(r.URL.Path)
		k, err := ws.find(r.Context(), id)
		if err == nil && !k.enter() {
			err = vneid.ErrNotFound
		}
		if err != nil {
			p.noWorld(w, r, id, err)
			return
		}
		defer k.leave()
		if seen := names.see(r.Context(), k.world); seen != ws.defaultWorld.world { // which it is in already
			r = r.WithContext(k.in(r.Context(), seen)) // ours to change
		}
		if id != vneid.DefaultWorld {
			u := *r.URL
			u.Path, u.RawPath = rest, ""
			r.URL = &u
			if slices.Contains(ofTheServer, rest) {
				noRoute(rest).Write(w)
				return
			}
		}
		if maxBody > 0 {
			r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		}
		next.ServeHTTP(w, r)
	})
}

// inDefault is the world of a request until its own is known: refusals and
// error pages stand in some world too. Most requests stay there.
func (ws *worlds) inDefault(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r.WithContext(ws.defaultWorld.in(r.Context(), ws.defaultWorld.world)))
	})
}

// splitWorld reads the world off a path; what names none is the default
// world's.
func splitWorld(path string) (id, rest string) {
	before, after := "", path
	if below, ok := strings.CutPrefix(path, api.Prefix); ok {
		before, after = api.Prefix, below
	}
	named, ok := strings.CutPrefix(after, vneid.WorldPrefix)
	if !ok {
		return vneid.DefaultWorld, path
	}
	id, after, _ = strings.Cut(named, "/")
	if id == vneid.DefaultWorld {
		id = "" // it has one address
	}
	if before == "" && isAPI("/"+after) {
		return "", "/" // so has the API of a world
	}
	return id, before + "/" + after
}

// joinWorld is the path of a world's rest of a path: what splitWorld read.
func joinWorld(id, rest string) string {
	if below, ok := strings.CutPrefix(rest, api.Prefix); ok && isAPI(rest) {
		return api.Prefix + vneid.WorldPath(id) + below
	}
	return vneid.WorldPath(id) + rest
}

func isAPI(path string) bool { return path == api.Prefix || strings.HasPrefix(path, api.Prefix+"/") }

// cleanPaths redirects from a path with "//" or ".." to what it means. So does
// http.ServeMux by itself, but out of the world: it does not know of any.
func cleanPaths(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		clean := path.Clean("/" + r.URL.Path)
		if strings.HasSuffix(r.URL.Path, "/") && clean != "/" {
			clean += "/"
		}
		if clean == r.URL.Path {
			next.ServeHTTP(w, r)
			return
		}
		to := url.URL{Path: joinWorld(vneid.WorldFrom(r.Context()).ID, clean), RawQuery: r.URL.RawQuery}
		http.Redirect(w, r, to.String(), http.StatusTemporaryRedirect)
	})
}

// ofTheServer are paths that tell of all worlds: no world's token opens them.
var ofTheServer = []string{"/healthz", "/ready", "/metrics", profilePath, caPath}

func noRoute(path string) *api.Problem {
	return api.Refuse(http.StatusNotFound, path+" is the whole server's and lies outside of any world: ask for it without "+vneid.WorldPrefix+"{id}")
}
