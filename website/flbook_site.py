"""Sphinx extension: the static site runs its explorers with no kernel and asks no foreign host.

A page's widget state carries the text of the explorers' front end once per explorer. Here the
text is replaced by one line that takes it from ``flbook/explorers.js``, which the page loads once.
"""

import json
import os
import sys
from pathlib import Path

from docutils import nodes
from myst_nb.sphinx_ import NbMetadataCollector
from sphinx.errors import ExtensionError

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "frontend"), str(ROOT)]
import bundle  # noqa: E402

from tools import reading_time  # noqa: E402

SHARED_MODULE = "export default globalThis.flbookExplorers.default;"
WIDGET_STATE = "ipywidgets_state"


def use_site_assets(app, config):
    """Serve the site's own copies of the scripts; name the repository that hosts it."""
    if not bundle.is_fresh():
        bundle.build("package")
    if not bundle.site_is_fresh():
        bundle.build("site")
    config.html_static_path.append(str(bundle.SITE_ASSETS))
    if repository := os.environ.get("FLBOOK_REPOSITORY"):
        config.html_theme_options["repository_url"] = repository


def share_front_end(state: dict, esm: str) -> dict:
    """Return the widget `state` of a page with the front end's text replaced by a reference to it.

    Raises
    ------
    ExtensionError
        If a model carries another version of the front end than the one just built.
    """
    shared = {}
    for key, model in state["state"].items():
        if model["model_module"] == "anywidget":
            if model["state"]["_esm"] not in (esm, SHARED_MODULE):
                raise ExtensionError(
                    f"widget {key} was stored with another front end: run the page afresh"
                )
            model = {**model, "state": {**model["state"], "_esm": SHARED_MODULE, "_css": ""}}
        shared[key] = model
    return {**state, "state": shared}


def slim_widget_state(app, pagename, templatename, context, doctree):
    """Let the explorers of a page share one front end and one style sheet."""
    if doctree is None:
        return
    scripts = NbMetadataCollector.get_js_files(app.env, pagename)
    if WIDGET_STATE not in scripts:
        return
    uri, attributes = scripts[WIDGET_STATE]
    esm = (bundle.BUNDLE / "explorers.js").read_text(encoding="utf-8")
    state = share_front_end(json.loads(attributes["body"]), esm)
    body = json.dumps(state, separators=(",", ":")).replace("</", "<\\/")
    scripts[WIDGET_STATE] = (uri, {**attributes, "body": body})
    for sheet in ("flbook/widgets.css", "flbook/explorers.css"):
        app.add_css_file(sheet)


def drop_thebe(app, pagename, templatename, context, doctree):
    """Leave out the scripts of sphinx-thebe: it is off, yet they print console errors."""
    context["script_files"] = [s for s in context["script_files"] if not _is_thebe(s)]


def _is_thebe(script) -> bool:
    text = f"{getattr(script, 'filename', '')} {getattr(script, 'attributes', {}).get('body', '')}"
    return "thebe" in text.lower()


def name_toctree_toggles(app, pagename, templatename, context, doctree):
    """Give the sidebar's toggle of a chapter with several pages a name that can be read aloud."""
    generate = context["generate_toctree_html"]

    def named(*args, **kwargs):
        html = str(generate(*args, **kwargs))
        return html.replace("<summary>", '<summary aria-label="Pages of this chapter">')

    context["generate_toctree_html"] = named


def state_reading_time(app, doctree):
    """Say under the title of a chapter how long it takes to read."""
    page = Path(app.env.doc2path(app.env.docname))
    if page.suffix == ".ipynb":
        title = next(iter(doctree.findall(nodes.title)))
        text = f"About {reading_time.stated(page)} minutes to read. Its exercises take longer."
        said = nodes.paragraph("", "", nodes.emphasis("", text), classes=["reading-time"])
        title.parent.insert(title.parent.index(title) + 1, said)


def escape_bars(app, what, name, obj, options, lines):
    """Let ``|u|`` in a docstring be a norm, not one of reStructuredText's substitutions."""
    lines[:] = [
        line if line.lstrip().startswith((">>>", "...")) else line.replace("|", r"\|")
        for line in lines
    ]


def setup(app):
    """Register the handlers; before and after those of myst-nb and of the themes."""
    app.connect("config-inited", use_site_assets)
    app.connect("autodoc-process-docstring", escape_bars)
    app.connect("doctree-read", state_reading_time)
    app.connect("html-page-context", slim_widget_state, priority=100)
    app.connect("html-page-context", drop_thebe, priority=900)
    app.connect("html-page-context", name_toctree_toggles, priority=900)
    app.add_css_file("flbook/site.css")
    app.add_js_file("flbook/site.js")
    return {"parallel_read_safe": True, "parallel_write_safe": True}
