package people

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/vneid-sandbox/vneid-sandbox/sandbox/strictyaml"
	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// seedFile is the form of a seed file.
type seedFile struct {
	Personas []persona `yaml:"personas"`
	Clients  []Client  `yaml:"clients"`

	Register []vneid.RegisterEntry `yaml:"register"`
	Askers   []Asker               `yaml:"register_consumers"`
}

type persona struct{ vneid.Persona }

// Defaults make a persona of which the file says nothing special one with whom
// everything works.
func (p *persona) Defaults() {
	p.Persona = citizen("", "", "", "", "", "")
}

// Read reads a seed file, YAML or, by its ending, CSV. The error is a
// strictyaml.Mistakes with all there are.
func Read(name string, content []byte, nowYear int, allowHosts []string) (Data, error) {
	if FormatOf(name) == CSV {
		return readCSVSeed(name, content, nowYear)
	}
	return readYAML(name, content, nowYear, allowHosts)
}

func readYAML(name string, content []byte, nowYear int, allowHosts []string) (Data, error) {
	var raw seedFile
	f := strictyaml.Read(name, content, &raw)
	sum := sha256.Sum256(content)
	d := Data{Version: "file:" + hex.EncodeToString(sum[:8]), Clients: raw.Clients}
	first := map[vneid.CCCD]int{}
	for i := range raw.Personas {
		p, key := &raw.Personas[i].Persona, fmt.Sprintf("personas[%d]", i)
		addAll(f, key, p.Validate(nowYear))
		if before, twice := first[p.CCCD]; twice && p.CCCD != "" {
			f.Add(key+".cccd", fmt.Sprintf("the number of personas[%d]", before), "a number belongs to one person")
		} else {
			first[p.CCCD] = i
		}
		d.Personas = append(d.Personas, *p)
	}
	CheckClients(f, "clients", d.Clients, allowHosts)
	d.Register, d.Askers = raw.Register, raw.Askers
	checkRegister(f, d, nowYear)
	return d, f.Mistakes.Err()
}

func checkRegister(f *strictyaml.File, d Data, nowYear int) {
	for i := range d.Register {
		e, at := &d.Register[i], fmt.Sprintf("register[%d]", i)
		number, err := vneid.ParseCCCD(string(e.CCCD), nowYear)
		if err != nil {
			f.Add(at+".cccd", "no CCCD", "the 12 digits of one of the personas")
		}
		e.CCCD = number
		if len([]rune(e.Name)) > 200 {
			f.Add(at+".name", "longer than 200 characters", "")
		}
	}
	for i := range d.Askers {
		a, at := &d.Askers[i], fmt.Sprintf("register_consumers[%d]", i)
		if a.PerMinute == 0 {
			a.PerMinute = defaultPerMinute
		}
		if a.Name == "" || len(a.Name) > 100 {
			f.Add(at+".name", "1 to 100 characters", "")
		}
		if !plainSecret(a.Key) {
			f.Add(at+".key", "8 to 200 visible ASCII characters", "")
		}
		if a.PerMinute < 1 || a.PerMinute > 10000 {
			f.Add(at+".per_minute", "out of range", "1 to 10000")
		}
	}
}

// CheckClients fills in the defaults of the clients that stand under key in f
// and adds whatever is wrong with them to its mistakes.
func CheckClients(f *strictyaml.File, key string, clients []Client, allowHosts []string) {
	first := map[string]int{}
	for i := range clients {
		c, at := &clients[i], fmt.Sprintf("%s[%d]", key, i)
		addAll(f, at, c.Normalize(allowHosts))
		if before, twice := first[c.ClientID]; twice && c.ClientID != "" {
			f.Add(at+".client_id", fmt.Sprintf("the client_id of %s[%d]", key, before), "choose another")
		} else {
			first[c.ClientID] = i
		}
		switch {
		case !c.HasSecret() && c.Secret != "":
			f.Add(at+".client_secret", "a client with token_endpoint_auth_method none or private_key_jwt has no secret", "remove one of the two")
		case c.HasSecret() && !plainSecret(c.Secret):
			f.Add(at+".client_secret", "8 to 200 visible ASCII characters", "public clients have token_endpoint_auth_method: none instead")
		}
	}
}

// plainSecret holds a secret against VSCHAR, RFC 6749 appendix A.2.
func plainSecret(s string) bool {
	return len(s) >= 8 && len(s) <= 200 && !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' })
}

func addAll(f *strictyaml.File, key string, bad map[string]string) {
	for _, field := range slices.Sorted(maps.Keys(bad)) {
		f.Add(key+"."+field, bad[field], "")
	}
}
