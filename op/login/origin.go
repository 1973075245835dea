package login

import (
	"net"
	"net/http"
	"strings"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// OriginOf is where a request comes from, as a person recognises it: the kind
// of browser, and the address of the connection. A header such as
// X-Forwarded-For is anybody's claim and is not asked.
func OriginOf(r *http.Request) vneid.Origin {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	return vneid.Origin{Browser: browserName(r.UserAgent()), IP: host}
}

// browserName reads the User-Agent as far as people care. The order matters:
// most browsers claim to be others too.
func browserName(ua string) string {
	if len(ua) > 512 {
		ua = ua[:512]
	}
	name := firstOf(ua, [][2]string{
		{"Edg/", "Edge"}, {"EdgA/", "Edge"}, {"OPR/", "Opera"}, {"SamsungBrowser/", "Samsung Internet"}, {"coc_coc_browser/", "Cốc Cốc"},
		{"Firefox/", "Firefox"}, {"FxiOS/", "Firefox"}, {"CriOS/", "Chrome"}, {"HeadlessChrome/", "Chrome"}, {"Chrome/", "Chrome"},
		{"Safari/", "Safari"}, {"curl/", "curl"}, {"Go-http-client/", "Go"},
	})
	system := firstOf(ua, [][2]string{
		{"Windows", "Windows"}, {"Android", "Android"}, {"iPhone", "iPhone"}, {"iPad", "iPad"}, {"Mac OS X", "macOS"}, {"CrOS", "ChromeOS"}, {"Linux", "Linux"},
	})
	switch {
	case name == "" && system == "":
		return ""
	case name == "":
		return system
	case system == "":
		return name
	}
	return name + " (" + system + ")"
}

func firstOf(ua string, marks [][2]string) string {
	for _, m := range marks {
		if strings.Contains(ua, m[0]) {
			return m[1]
		}
	}
	return ""
}
