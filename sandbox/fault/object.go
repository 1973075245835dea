package fault

import (
	"bytes"
	"encoding/json"
	"errors"
)

// Object is a JSON object whose members keep their order and their bytes: what
// a fault does not touch stays as the provider wrote it. It may hold a name
// twice, which encoding/json cannot write.
type Object struct {
	members []member
	changed bool
}

type member struct {
	name string
	raw  json.RawMessage
}

// ParseObject reads one.
func ParseObject(b []byte) (*Object, error) {
	d := json.NewDecoder(bytes.NewReader(b))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, errors.New("not a JSON object")
	}
	o := &Object{}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return nil, err
		}
		var m member
		m.name, _ = t.(string) // the name of a member is a string
		if err := d.Decode(&m.raw); err != nil {
			return nil, err
		}
		o.members = append(o.members, m)
	}
	_, err := d.Token()
	return o, err
}

// Raw is the bytes of a member, nil when it is absent.
func (o *Object) Raw(name string) json.RawMessage {
	for _, m := range o.members {
		if m.name == name {
			return m.raw
		}
	}
	return nil
}

// Has says whether there is a member.
func (o *Object) Has(name string) bool { return o.Raw(name) != nil }

// String is a member that is a string, "" otherwise.
func (o *Object) String(name string) (s string) {
	if json.Unmarshal(o.Raw(name), &s) != nil {
		return ""
	}
	return s
}

// Number is a member that is a whole number, 0 otherwise.
func (o *Object) Number(name string) (n int64) {
	if json.Unmarshal(o.Raw(name), &n) != nil {
		return 0
	}
	return n
}

// Set gives a member a value, where it stands or at the end.
func (o *Object) Set(name string, value any) { o.SetRaw(name, encode(value)) }

// SetRaw is Set with the bytes.
func (o *Object) SetRaw(name string, raw []byte) {
	o.changed = true
	for i := range o.members {
		if o.members[i].name == name {
			o.members[i].raw = raw
			return
		}
	}
	o.members = append(o.members, member{name, raw})
}

// Add appends a member though there may be one of that name.
func (o *Object) Add(name string, value any) {
	o.changed = true
	o.members = append(o.members, member{name, encode(value)})
}

// Delete removes a member, and says whether there was one.
func (o *Object) Delete(name string) bool {
	for i := range o.members {
		if o.members[i].name == name {
			o.members, o.changed = append(o.members[:i:i], o.members[i+1:]...), true
			return true
		}
	}
	return false
}

// Names lists the members in order.
func (o *Object) Names() (list []string) {
	for _, m := range o.members {
		list = append(list, m.name)
	}
	return list
}

// Bytes encodes it, without white space.
func (o *Object) Bytes() []byte {
	b := []byte{'{'}
	for i, m := range o.members {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(append(append(b, encode(m.name)...), ':'), m.raw...)
	}
	return append(b, '}')
}

// encode writes JSON as the provider does, without escapes for HTML.
func encode(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic("fault: a value of the catalogue is no JSON: " + err.Error())
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}
