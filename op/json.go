package op

import (
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strconv"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

func writeJSON(w http.ResponseWriter, status int, v any) { writeJSONBytes(w, status, encode(v)) }

func encode(v any) []byte {
	body, err := json.Marshal(v)
	if err != nil {
		// Only types of ours get here; one that cannot be encoded is a mistake.
		panic("op: " + err.Error())
	}
	return body
}

func writeJSONBytes(w http.ResponseWriter, status int, body []byte) {
	h := w.Header()
	h["Content-Type"] = mediaJSON
	h["X-Content-Type-Options"] = nosniff
	h.Set("Content-Length", strconv.Itoa(len(body))) // or net/http would send a longer one in chunks
	w.WriteHeader(status)
	w.Write(body) // a client that left needs no answer
}

type oauthError struct {
	Error       string `json:"error"`
	Description string `json:"error_description,omitempty"`
}

// writeOAuthError is the JSON error of RFC 6749 §5.2.
func writeOAuthError(w http.ResponseWriter, status int, code, description string) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Pragma", "no-cache")
	writeJSON(w, status, oauthError{code, description})
}

// unavailable reports whether the same request may succeed later: the store
// does not answer, or a queue is full.
func unavailable(err error) bool {
	return errors.Is(err, vneid.ErrUnavailable) || vneid.IsCode(err, vneid.CodeUnavailable)
}

// serverError answers a failure of ours without telling what failed.
func (p *Provider) serverError(w http.ResponseWriter, r *http.Request, err error) {
	vneid.TrailFrom(r.Context()).Refuse(err)
	p.logger.ErrorContext(r.Context(), "request failed", slog.String("cause", err.Error()))
	if unavailable(err) {
		w.Header().Set("Retry-After", "5")
		writeOAuthError(w, http.StatusServiceUnavailable, "temporarily_unavailable", "the server cannot answer just now; try again")
		return
	}
	writeOAuthError(w, http.StatusInternalServerError, "server_error", "the server failed; its log says why")
}
