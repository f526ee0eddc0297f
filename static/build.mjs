// Writes what the site serves into static/build/: compiled stylesheets, bundled scripts, the latin fonts, images.
// Nothing here is committed; run it with `npm ci --ignore-scripts && node static/build.mjs`.
import { cpSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";
import * as sass from "sass";

const here = dirname(fileURLToPath(import.meta.url));
const packages = join(here, "..", "node_modules");
const out = join(here, "build");
const scripts = ["latin", "latin-ext"]; // names of people and places, accents included

rmSync(out, { recursive: true, force: true });
for (const folder of ["css", "js", "fonts", "img", "images"]) mkdirSync(join(out, folder), { recursive: true });

// The faces: only the rules of the scripts above, with the files they name.
function fontRules(pack, sheet) {
  const source = readFileSync(join(packages, "@fontsource-variable", pack, sheet), "utf8");
  return source.match(/@font-face \{[^}]*\}/g).filter((rule) => {
    const [, file, subset] = rule.match(/url\(\.\/files\/([a-z-]+?-(latin-ext|latin|vietnamese)-[a-z-]+\.woff2)\)/);
    if (!scripts.includes(subset)) return false;
    cpSync(join(packages, "@fontsource-variable", pack, "files", file), join(out, "fonts", file));
    return true;
  }).map((rule) => rule.replaceAll("./files/", "../fonts/")).join("\n");
}

const fonts = [
  fontRules("public-sans", "wght.css"),
  fontRules("public-sans", "wght-italic.css"),
  fontRules("bricolage-grotesque", "opsz.css"),
].join("\n");

// Manifest storage fails on a map that is not there.
const unmapped = (css) => css.replace(/\/\*# sourceMappingURL=.*?\*\//g, "");
const compile = (sheet) => unmapped(sass.compile(join(here, "scss", sheet), {
  style: "compressed", loadPaths: [packages, join(here, "..")], quietDeps: true, logger: sass.Logger.silent, charset: false,
}).css);
const vendor = (path) => unmapped(readFileSync(join(packages, path), "utf8"));
const shrink = (css) => esbuild.transformSync(css, { loader: "css", minify: true, legalComments: "none" }).code;

writeFileSync(join(out, "css", "site.css"), shrink([
  fonts, compile("kit.scss"), compile("moj.scss"), vendor("accessible-autocomplete/dist/accessible-autocomplete.min.css"),
  compile("common-ground.scss"),
].join("\n")));
writeFileSync(join(out, "css", "map.css"), shrink(vendor("leaflet/dist/leaflet.css").replaceAll("url(images/", "url(../images/")));
writeFileSync(join(out, "css", "docs.css"), shrink(`${fonts}\n${compile("docs.scss")}`));
writeFileSync(join(out, "css", "admin.css"), shrink(`${fonts}\n${compile("admin.scss")}`));

esbuild.buildSync({
  entryPoints: ["site.js", "map.js", "supported.js"].map((name) => join(here, "js", name)),
  outdir: join(out, "js"), bundle: true, minify: true, format: "esm", target: "es2021", legalComments: "none",
  nodePaths: [packages], logLevel: "warning",
});

cpSync(join(here, "img"), join(out, "img"), { recursive: true });
cpSync(join(packages, "leaflet/dist/images"), join(out, "images"), { recursive: true });
const icons = join(packages, "@ministryofjustice/frontend/moj/assets/images");
for (const file of readdirSync(icons).filter((name) => /^icon-.*\.svg$/.test(name))) cpSync(join(icons, file), join(out, "images", file));

// The outlines of councils and regions, which the drawings of maps refer to by GSS code.
const { districts, regions } = JSON.parse(readFileSync(join(here, "..", "partnerships", "kit", "boundaries.json"), "utf8"));
const outline = (id, path) => `<path id="${id}" d="${path}" vector-effect="non-scaling-stroke"/>`;
const outlines = Object.entries(districts).map(([code, row]) => outline(code, row[3]));
outlines.push(outline("regions", Object.values(regions).map((row) => row[3]).join("")));
writeFileSync(join(out, "img", "outlines.svg"), `<svg xmlns="http://www.w3.org/2000/svg">${outlines.join("")}</svg>`);

console.log(`Built ${readdirSync(join(out, "css")).length} stylesheets and ${readdirSync(join(out, "js")).length} scripts into static/build.`);
