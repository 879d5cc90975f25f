"""Names of the public packages whose sources make up the corpus.

Well-known libraries only, named here so that everybody can see what the model
was trained on. Packages under HELD_OUT are downloaded for evaluation and never
trained on.
"""

PYPI = """
sympy networkx more-itertools toolz funcy textdistance jellyfish pygorithm algorithms labmath primefac
numpy scipy pandas scikit-learn scikit-image matplotlib seaborn bokeh plotly altair
mpmath pyparsing lark ply parso jedi pygments docutils sphinx jinja2 markdown mistune markdown-it-py
django flask werkzeug bottle tornado aiohttp requests urllib3 httpx starlette fastapi pyramid webob twisted
sqlalchemy peewee pony alembic pymongo redis psycopg kombu celery dramatiq rq
attrs pydantic marshmallow cerberus voluptuous jsonschema cattrs dataclasses-json
click typer rich tqdm colorama prompt-toolkit textual urwid tabulate prettytable
pytest hypothesis tox coverage nose2 mock faker factory-boy
black isort autopep8 yapf pylint flake8 pycodestyle pyflakes mypy rope libcst
pillow imageio opencv-contrib-python-headless moviepy pydub mutagen librosa
gensim spacy textblob sacrebleu rouge-score
statsmodels patsy lifelines pymc arviz emcee xarray dask distributed zarr numba
shapely geopandas pyproj fiona folium cartopy
biopython scikit-bio dendropy pysam ase pymatgen rdkit mdanalysis
astropy sunpy photutils lmfit uncertainties pint
cryptography pycryptodome rsa ecdsa paramiko pyasn1 pyjwt passlib bcrypt
beautifulsoup4 lxml html5lib bleach feedparser scrapy parsel w3lib
python-dateutil pytz arrow pendulum babel humanize dateparser holidays
pyyaml toml tomlkit configobj dynaconf python-dotenv
boto3 botocore google-cloud-storage azure-core docker kubernetes ansible-core fabric
setuptools pip wheel virtualenv poetry-core packaging hatchling
sortedcontainers bidict cachetools intervaltree pyrsistent immutables bitarray bitstring construct
joblib cloudpickle dill psutil watchdog filelock
transformers tokenizers datasets accelerate diffusers keras gymnasium stable-baselines3 einops optuna
openpyxl xlsxwriter python-docx python-pptx pypdf reportlab fpdf2 pdfminer.six
pygame arcade pyglet
qiskit cirq-core pennylane openfermion
z3-solver ortools cvxpy pulp pyomo deap simpy
chardet charset-normalizer ftfy unidecode regex python-slugify inflect wcwidth
music21 mido pretty-midi
web3 eth-utils eth-abi bitcoinlib
ipython traitlets nbformat nbconvert jupyter-core
cython sqlparse pyodbc fsspec smart-open
loguru structlog sentry-sdk
trimesh pyvista
""".split()

NPM = """
lodash underscore rambda remeda date-fns moment luxon dayjs validator voca
simple-statistics jstat numeric ml-matrix d3-array d3-shape d3-geo d3-hierarchy d3-scale d3-format
three babylonjs pixi.js phaser matter-js
typescript rxjs immutable mobx zod joi yup ajv
express koa fastify hapi async bluebird q
react-dom vue preact svelte
jquery handlebars ejs pug nunjucks mustache marked markdown-it
esprima acorn escodegen terser uglify-js
core-js fp-ts effect
jsbn bn.js big.js bignumber.js decimal.js elliptic crypto-js node-forge
pdfkit jszip pako iconv-lite
@stdlib/stdlib @turf/turf
graphql apollo-server-core sequelize knex mongoose typeorm
@angular/core @angular/common @tensorflow/tfjs-core
react-native cordova-android
better-sqlite3 leveldown snappy nodegit zeromq canvas grpc re2 libpq sodium-native usb
""".split()

GO = """
github.com/samber/lo github.com/thoas/go-funk github.com/spf13/cobra github.com/spf13/viper
github.com/gin-gonic/gin github.com/gorilla/mux github.com/go-chi/chi/v5 github.com/labstack/echo/v4
gonum.org/v1/gonum github.com/emirpasic/gods github.com/montanaflynn/stats github.com/google/btree
golang.org/x/text golang.org/x/crypto golang.org/x/net golang.org/x/tools golang.org/x/image golang.org/x/exp
github.com/stretchr/testify github.com/sirupsen/logrus go.uber.org/zap
github.com/prometheus/prometheus github.com/hashicorp/consul github.com/hashicorp/terraform
github.com/ethereum/go-ethereum github.com/docker/docker k8s.io/apimachinery k8s.io/client-go

github.com/yuin/goldmark
""".split()

CRATES = """
itertools num num-integer num-bigint num-traits petgraph rand regex regex-syntax serde serde_json
nalgebra ndarray rayon crossbeam hashbrown indexmap smallvec bytes tokio hyper
chrono time uuid semver url percent-encoding unicode-segmentation textwrap strsim
clap syn quote proc-macro2 nom image png flate2 miniz_oxide
aho-corasick memchr bstr csv ryu itoa fxhash ahash bitflags bit-vec fixedbitset
geo statrs primal
""".split()

MAVEN = """
org.apache.commons:commons-lang3:3.14.0 org.apache.commons:commons-math3:3.6.1 org.apache.commons:commons-collections4:4.4
com.google.guava:guava:33.0.0-jre commons-io:commons-io:2.15.1 org.apache.commons:commons-text:1.11.0
org.apache.commons:commons-compress:1.26.0 org.apache.lucene:lucene-core:9.9.1 org.eclipse.collections:eclipse-collections:11.1.0
it.unimi.dsi:fastutil:8.5.12 commons-codec:commons-codec:1.16.0 org.jgrapht:jgrapht-core:1.5.2
org.springframework:spring-core:6.1.3 joda-time:joda-time:2.12.6 org.ejml:ejml-ddense:0.43
com.fasterxml.jackson.core:jackson-databind:2.16.1 org.apache.commons:commons-numbers-core:1.1 org.apache.commons:commons-csv:1.10.0
""".split()

# Evaluation only: never trained on.
HELD_OUT = {
    "pypi": {"boltons", "pydash", "nltk", "iteration-utilities", "scikit-image", "lmfit"},
    "npm": {"ramda", "mathjs", "underscore.string"},
    "go": {"github.com/samber/lo", "github.com/montanaflynn/stats"},
    "crates": {"petgraph", "textwrap", "strsim"},
    "maven": {"commons-text", "commons-csv"},
}
