"""Results as pages of HTML: one file each, nothing fetched. The page is written by `web.text.html_text`."""
