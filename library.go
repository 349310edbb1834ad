package hub

import (
	"context"
	"fmt"
	"iter"
	"strconv"

	"github.com/integrationhub/hub/storage"
)

// templateRecord is a template as stored: in the library (its latest version) and as a
// version of its own.
type templateRecord struct {
	Template Template `json:"template"`
	// IconVersion is the version whose icon record this one shares; zero: no icon.
	IconVersion int `json:"iconVersion,omitempty"`
}

// UnmarshalJSON decodes what the hub itself wrote.
func (r *templateRecord) UnmarshalJSON(data []byte) error {
	type fields templateRecord
	plain := struct {
		*fields
		Template *plainTemplate `json:"template"`
	}{(*fields)(r), (*plainTemplate)(&r.Template)}
	return decodeKnown(data, &plain)
}

// hostsRecord is what RestrictTemplate left of a template's hosts.
type hostsRecord struct {
	Hosts []string `json:"hosts"`
}

// CreateTemplate saves version 1 of a template and returns it as saved. Every broken rule is
// reported at once, in one Invalid; Exists if its id or name is taken.
func (t *Tenant) CreateTemplate(ctx context.Context, tpl Template) (_ Template, err error) {
	defer finish(&err, "CreateTemplate", "", "")
	ctx, leave, err := t.enter(ctx)
	if err != nil {
		return Template{}, err
	}
	defer leave()
	rec, changes, err := t.newTemplate(tpl)
	if err != nil {
		return Template{}, err
	}
	return saved(rec.Template, t.apply(ctx, changes...))
}

// newTemplate checks a template and returns what creates it.
func (t *Tenant) newTemplate(tpl Template) (*templateRecord, []storage.Change, error) {
	if tpl.ID == "" {
		tpl.ID = newID("tpl")
	}
	if t.system.has(tpl.ID) || t.system.hasName(tpl.Name) {
		return nil, nil, failure(Exists, "a system template has this id or name")
	}
	tpl.Version, tpl.System = 1, false
	return t.newVersion(&templateRecord{Template: cloned(tpl)}, 0)
}

// newVersion checks the next version of a template and returns what saves it. The record's
// IconVersion is that of the version before.
func (t *Tenant) newVersion(rec *templateRecord, before int64) (*templateRecord, []storage.Change, error) {
	var p problems
	tpl := &rec.Template
	icon := tpl.Icon
	tpl.Icon = nil
	tpl.normalize()
	tpl.check(&p, &t.limits)
	if kind := p.checkIcon("icon", icon); kind != "" {
		tpl.IconType, rec.IconVersion = kind, tpl.Version
	}
	if tpl.IconType == "" || rec.IconVersion == 0 {
		tpl.IconType, rec.IconVersion = "", 0
	}
	if err := p.err(); err != nil {
		return nil, nil, err
	}
	changes, err := t.versionChanges(rec, icon, before)
	return rec, changes, err
}

func (t *Tenant) versionChanges(rec *templateRecord, icon []byte, before int64) ([]storage.Change, error) {
	tpl, now := &rec.Template, t.opts.now().UTC()
	tpl.CreatedAt = now
	tpl.Revision = nextRevision(before, now)
	data, err := encodeRecord(rec)
	if err != nil {
		return nil, err
	}
	head := storage.Record{
		Key: t.key(kindTemplate, tpl.ID), Name: tpl.Name, Search: fold(tpl.Name),
		Revision: tpl.Revision, Updated: now, Data: data,
	}
	version := storage.Record{
		Key: t.key(kindVersion, versionID(tpl.ID, tpl.Version)), Parent: tpl.ID,
		Search: fmt.Sprintf("%010d", tpl.Version), Revision: tpl.Revision, Updated: now, Data: data,
	}
	changes := []storage.Change{storage.Create(head), storage.Create(version)}
	if before != 0 {
		changes[0] = storage.Update(head, before) // first: who comes second gets a conflict
	}
	if len(icon) > 0 {
		changes = append(changes, storage.Create(storage.Record{
			Key: t.key(kindIcon, version.ID), Parent: tpl.ID, Revision: tpl.Revision, Updated: now, Data: icon,
		}))
	}
	return changes, nil
}

func (t *Tenant) key(kind, id string) storage.Key {
	return storage.Key{Tenant: t.name, Kind: kind, ID: id}
}

func versionID(template string, version int) string { return template + "@" + strconv.Itoa(version) }

// ReviseTemplate saves the next version of the template with tpl's ID and returns it. The
// versions before, and the connectors made from them, stay as they are. tpl.Revision must be
// the one last read; Conflict if the template has been revised since.
func (t *Tenant) ReviseTemplate(ctx context.Context, tpl Template) (_ Template, err error) {
	defer finish(&err, "ReviseTemplate", "", "")
	ctx, leave, err := t.enter(ctx)
	if err != nil {
		return Template{}, err
	}
	defer leave()
	if t.system.has(tpl.ID) {
		return Template{}, errSystemTemplate()
	}
	latest, err := t.template(ctx, tpl.ID)
	if err != nil {
		return Template{}, err
	}
	if err := sameRevision(tpl.Revision, latest.Template.Revision); err != nil {
		return Template{}, err
	}
	if t.system.hasName(tpl.Name) {
		return Template{}, failure(Exists, "a system template has this name")
	}
	tpl.Version, tpl.System = latest.Template.Version+1, false
	if tpl.IconType != "" {
		tpl.IconType = latest.Template.IconType // what the icon is, its content said
	}
	rec, changes, err := t.newVersion(&templateRecord{cloned(tpl), latest.IconVersion}, latest.Template.Revision)
	if err != nil {
		return Template{}, err
	}
	return saved(rec.Template, t.apply(ctx, changes...))
}

// DeleteTemplate takes a template out of the library. Its connectors, and the versions they
// are on, stay. revision must be the one last read.
func (t *Tenant) DeleteTemplate(ctx context.Context, id string, revision int64) (err error) {
	defer finish(&err, "DeleteTemplate", "", "")
	ctx, leave, err := t.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	if t.system.has(id) {
		return errSystemTemplate()
	}
	latest, err := t.template(ctx, id)
	if err != nil {
		return err
	}
	if err := sameRevision(revision, latest.Template.Revision); err != nil {
		return err
	}
	return t.apply(ctx, storage.Delete(t.key(kindTemplate, id), revision))
}

// GetTemplate returns the latest version of a template in the library.
func (t *Tenant) GetTemplate(ctx context.Context, id string) (_ Template, err error) {
	defer finish(&err, "GetTemplate", "", "")
	ctx, leave, err := t.enter(ctx)
	if err != nil {
		return Template{}, err
	}
	defer leave()
	if tpl, ok := t.system.latest(id); ok {
		return tpl, nil
	}
	rec, err := t.template(ctx, id)
	return rec.Template, err
}

// GetTemplateVersion returns one version of a template, also of one that is no longer in the
// library.
func (t *Tenant) GetTemplateVersion(ctx context.Context, id string, version int) (_ Template, err error) {
	defer finish(&err, "GetTemplateVersion", "", "")
	ctx, leave, err := t.enter(ctx)
	if err != nil {
		return Template{}, err
	}
	defer leave()
	rec, err := t.templateVersion(ctx, id, version)
	return rec.Template, err
}

// TemplateIcon returns the icon of one version of a template; NotFound if it has none.
func (t *Tenant) TemplateIcon(ctx context.Context, id string, version int) (_ Icon, err error) {
	defer finish(&err, "TemplateIcon", "", "")
	ctx, leave, err := t.enter(ctx)
	if err != nil {
		return Icon{}, err
	}
	defer leave()
	if icon, ok := t.system.icon(id, version); ok {
		return icon, nil
	}
	rec, err := t.templateVersion(ctx, id, version)
	if err != nil {
		return Icon{}, err
	}
	if rec.IconVersion == 0 {
		return Icon{}, failure(NotFound, "the template has no icon")
	}
	stored, err := t.get(ctx, t.key(kindIcon, versionID(id, rec.IconVersion)), "such icon")
	return Icon{Type: rec.Template.IconType, Data: stored.Data}, err
}

// ListTemplates returns a page of the library: the system templates first, then the
// tenant's own, each ordered by name. Of the options, Tag and Template have no meaning here.
func (t *Tenant) ListTemplates(ctx context.Context, opts ListOptions) (_ Page[Template], err error) {
	defer finish(&err, "ListTemplates", "", "")
	ctx, leave, err := t.enter(ctx)
	if err != nil {
		return Page[Template]{}, err
	}
	defer leave()
	page, rest, own, err := t.system.page(opts)
	if err != nil || !own {
		return page, err
	}
	listed, err := listPage(ctx, t, kindTemplate, rest, func(rec templateRecord) Template { return rec.Template })
	page.Items = append(page.Items, listed.Items...)
	if listed.Next != "" {
		page.Next = ownCursor + listed.Next
	}
	return page, err
}

// Templates walks the library as ListTemplates orders it, page by page. It ends at the first
// error, which it yields.
func (t *Tenant) Templates(ctx context.Context, opts ListOptions) iter.Seq2[Template, error] {
	return walk(opts, func(o ListOptions) (Page[Template], error) { return t.ListTemplates(ctx, o) })
}

// template reads the latest version of one of the tenant's templates in the library.
func (t *Tenant) template(ctx context.Context, id string) (templateRecord, error) {
	rec, err := t.get(ctx, t.key(kindTemplate, id), "template "+quote(id)+" in the library")
	if err != nil {
		return templateRecord{}, err
	}
	return decodeRecord[templateRecord](rec)
}

// templateVersion reads one version, of a system template too; version 0 is the latest in
// the library.
func (t *Tenant) templateVersion(ctx context.Context, id string, version int) (templateRecord, error) {
	if t.system.has(id) {
		tpl, err := t.system.version(id, version)
		return templateRecord{Template: tpl}, err
	}
	if version == 0 {
		return t.template(ctx, id)
	}
	rec, err := t.get(ctx, t.key(kindVersion, versionID(id, version)),
		fmt.Sprintf("version %d of template %s", version, quote(id)))
	if err != nil {
		return templateRecord{}, err
	}
	return decodeRecord[templateRecord](rec)
}

// offered reads a version of a template that is in the library; version 0 is the latest.
func (t *Tenant) offered(ctx context.Context, id string, version int) (templateRecord, error) {
	latest, err := t.templateVersion(ctx, id, 0)
	if err != nil || version == 0 || version == latest.Template.Version {
		return latest, err
	}
	return t.templateVersion(ctx, id, version)
}

// sameRevision compares the revision that a caller names with the stored one.
func sameRevision(named, stored int64) error {
	if named == 0 {
		return &Error{Code: Invalid, Fields: []FieldError{{Path: "revision", Rule: "required",
			Message: "must be the revision that was last read"}}}
	}
	if named != stored {
		return failure(Conflict, "it has been changed meanwhile: read it again, and apply the change to what you find")
	}
	return nil
}

func errSystemTemplate() error {
	return failure(ReadOnly, "system templates come with the host application and cannot be changed")
}
