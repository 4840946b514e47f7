CREATE TEMPORARY TABLE imported_sums (
    day date, dimension text, word text, title text, visitors int8, visits int8, views int8, bounces int8, entries int8, exits int8, secs int8
) ON COMMIT DROP
