package api

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/vneid-sandbox/vneid-sandbox/sandbox/people"
	"github.com/vneid-sandbox/vneid-sandbox/sandbox/strictyaml"
	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// People as files. The file comes as a string in JSON, so that every write has
// the one content type that browsers send to nobody without asking first.

// maxImport is the longest body of an import: a file of people whose quotes and
// line ends are escaped.
const maxImport = people.MaxFile + people.MaxFile/2

// tellEvery is after how many people of an import the log says how far it is.
const tellEvery = 10_000

var formats = []people.Format{people.YAML, people.CSV}

// imported is what an import answers.
type imported struct {
	Imported int `json:"imported"`
}

func (a *api) importPersonas(w http.ResponseWriter, r *http.Request) (int, any, error) {
	if !a.importing.TryLock() { // one file takes a good part of our memory
		w.Header().Set("Retry-After", "1")
		return 0, nil, Refuse(http.StatusServiceUnavailable, "another import is under way; try again")
	}
	defer a.importing.Unlock()
	var body struct {
		Format  people.Format `json:"format"`
		Content string        `json:"content"`
	}
	given, bad, err := readObject(r, &body)
	if err != nil {
		return 0, nil, err
	}
	if !slices.Contains(formats, body.Format) {
		bad = append(bad, FieldError{"format", `must be "yaml" or "csv"`})
	}
	if !given["content"] {
		bad = append(bad, FieldError{"content", "is missing: the file, as a string"})
	}
	if len(bad) > 0 {
		return 0, nil, InvalidFields("", bad)
	}
	now := vneid.WorldFrom(r.Context()).Clock.Now()
	d, err := people.ReadPeople("line", body.Format, []byte(body.Content), now.Year())
	if mistakes := (strictyaml.Mistakes)(nil); errors.As(err, &mistakes) {
		return 0, nil, invalidFile(mistakes)
	}
	if err != nil {
		return 0, nil, err
	}
	progress := func(done int) {
		if done%tellEvery == 0 {
			a.Logger.InfoContext(r.Context(), "people are being imported", "done", done, "of", len(d.Personas))
		}
	}
	if err := a.People.Import(r.Context(), d, progress); err != nil {
		return 0, nil, err
	}
	return http.StatusOK, imported{len(d.Personas)}, nil
}

// invalidFile lists the mistakes of a file: where, and what to do.
func invalidFile(mistakes strictyaml.Mistakes) error {
	var bad []FieldError
	for _, m := range mistakes {
		at := strings.Replace(m.Source, ":", " ", 1) // "line 12"
		if m.Key != "" {
			at += ": " + m.Key
		}
		what := m.What
		if m.Hint != "" {
			what += "; " + m.Hint
		}
		bad = append(bad, FieldError{at, what})
	}
	p := InvalidFields("invalid_file", bad)
	p.Detail = fmt.Sprintf("nothing was imported: %d mistakes in the file", len(bad))
	if len(bad) == 1 {
		p.Detail = "nothing was imported: " + bad[0].Field + ": " + bad[0].Detail
	}
	return p
}

// file is an answer that is no JSON.
type file struct {
	contentType, name string
	content           []byte
}

func (f file) write(w http.ResponseWriter, status int) {
	w.Header().Set("Content-Type", f.contentType)
	w.Header().Set("Content-Disposition", `attachment; filename="`+f.name+`"`)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	send(w, status, f.content)
}

func (a *api) exportPersonas(_ http.ResponseWriter, r *http.Request) (int, any, error) {
	format := people.Format(r.URL.Query().Get("format"))
	if format == "" {
		format = people.YAML
	}
	if !slices.Contains(formats, format) {
		return 0, nil, Invalid("format", "yaml or csv")
	}
	d, err := people.Take(r.Context(), a.Store, vneid.WorldFrom(r.Context()).ID)
	var out bytes.Buffer
	if err == nil {
		err = people.Write(&out, format, d)
	}
	if errors.Is(err, people.ErrTooMany) {
		return 0, nil, Refuse(http.StatusConflict, fmt.Sprintf("too many people for a file: %d in CSV, %d bytes of YAML", people.MaxPersonas, strictyaml.MaxSize))
	}
	if err != nil {
		return 0, nil, err
	}
	f := file{"application/yaml", "personas.yaml", out.Bytes()} // RFC 9512
	if format == people.CSV {
		f.contentType, f.name = "text/csv; charset=utf-8; header=present", "personas.csv" // RFC 7111
	}
	return http.StatusOK, f, nil
}
