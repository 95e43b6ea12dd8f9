"""The report: one page to look at and listen to, that needs a browser and no network.

`emotool.report.writer` writes it, `emotool.report.media` makes sounds and pictures for it,
`emotool.report.png` encodes the pictures, `emotool.report.media_folder` keeps them beside a page
that would grow too large, and `emotool.report.page` puts together what is the same in every report.
"""
