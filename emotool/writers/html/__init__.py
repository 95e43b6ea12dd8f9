"""The report: one page to look at and listen to, that needs a browser and no network.

`emotool.writers.html.writer` writes it, `emotool.writers.html.media` makes sounds and pictures for
it, `emotool.writers.html.png` encodes the pictures, `emotool.writers.html.media_folder` keeps them
beside a page
that would grow too large, and `emotool.writers.html.page` puts together what is the same in every
report.
"""
