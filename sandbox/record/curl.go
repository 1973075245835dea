package record

import (
	"net/http"
	"strings"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// Curl is the request of a step as a command to copy, with a name in capitals
// wherever a secret goes; "" for what is no request, such as a message.
func Curl(issuer string, s *vneid.RecordStep) string {
	if s.Method == "" || s.From == vneid.PartyPhone { // which signs its calls
		return ""
	}
	target := s.Path
	if strings.HasPrefix(target, "/") {
		target = issuer + target
	}
	lines := []string{"curl -i " + quote(target)}
	posts := s.Method == http.MethodPost
	switch {
	case posts && len(s.Request) == 0, !posts && s.Method != http.MethodGet:
		lines[0] = "curl -i -X " + s.Method + " " + quote(target)
	case !posts && hasQuery(s):
		lines[0] = "curl -i -G " + quote(target)
	}
	if s.From == vneid.PartyBrowser {
		lines = append(lines, "-b cookies.txt -c cookies.txt")
	}
	for _, f := range s.Request {
		switch {
		case f.In == vneid.InHeader && f.Name == "authorization" && strings.HasPrefix(f.Value, "Basic "):
			id, _, _ := strings.Cut(strings.TrimPrefix(f.Value, "Basic "), ":")
			lines = append(lines, "-u "+quote(id+":CLIENT_SECRET"))
		case f.In == vneid.InHeader && f.Name == "access_token":
			lines = append(lines, "-H "+quote("Authorization: Bearer ACCESS_TOKEN"))
		case f.In == vneid.InHeader:
		case f.In == vneid.InQuery && posts:
			// Shown as it was: in the address of a POST.
			lines[0] += " --url-query " + quote(f.Name+"="+valueOf(f))
		default:
			lines = append(lines, "--data-urlencode "+quote(f.Name+"="+valueOf(f)))
		}
	}
	return strings.Join(lines, " \\\n  ")
}

func hasQuery(s *vneid.RecordStep) bool {
	for _, f := range s.Request {
		if f.In == vneid.InQuery {
			return true
		}
	}
	return false
}

func valueOf(f vneid.StepField) string {
	if f.Secret {
		return strings.ToUpper(f.Name)
	}
	return f.Value
}

// quote is for a POSIX shell: nothing is special in single quotes.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
