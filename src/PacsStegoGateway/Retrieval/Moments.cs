using System.Globalization;
using PacsStegoGateway.Dicom;

namespace PacsStegoGateway.Retrieval;

/// <summary>
/// Dates and times as spans: what is said less exactly means all that it may be (10 is every moment from 10:00:00 to 10:59:59.999999), so
/// that single values and ranges are compared in one way (PS3.4 C.2.2.2.1, C.2.2.2.5).
/// </summary>
internal static class Moments
{
    private const long TicksOfDay = TimeSpan.TicksPerDay;

    /// <summary>From the first moment that is meant to just before the first that is not, in ticks.</summary>
    private readonly record struct Span(long From, long Until);

    /// <param name="vr">DA, TM or DT.</param>
    /// <param name="key">One value, or a range: <c>from-to</c>, <c>from-</c>, <c>-to</c>.</param>
    /// <param name="value">The stored one.</param>
    public static bool IsMatch(Vr vr, string key, string value)
    {
        key = key.Trim();
        if (Parse(vr, value.Trim()) is not { } stored)
        {
            return key == value.Trim();
        }

        if (DashOf(vr, key) is not { } dash)
        {
            return Parse(vr, key) is { } one && stored.From >= one.From && stored.From < one.Until;
        }

        string from = key[..dash].Trim();
        string to = key[(dash + 1)..].Trim();
        Span? first = Parse(vr, from);
        Span? last = Parse(vr, to);
        return (from.Length == 0 || first is not null) && (to.Length == 0 || last is not null)
            && (first is null || stored.From >= first.Value.From) && (last is null || stored.From < last.Value.Until);
    }

    /// <summary>
    /// Where the hyphen of a range is. In a DT it may also be the sign of an offset from UTC, which has four digits of at most 1200 behind it
    /// (PS3.5 6.2); no year is that early.
    /// </summary>
    private static int? DashOf(Vr vr, string key)
    {
        for (int i = 0; i < key.Length; i++)
        {
            if (key[i] == '-' && !(vr == Vr.DT && i >= 4 && IsOffset(key.AsSpan(i + 1))))
            {
                return i;
            }
        }

        return null;
    }

    private static bool IsOffset(ReadOnlySpan<char> behind) => behind.Length >= 4 && (behind.Length == 4 || behind[4] == '-')
        && int.TryParse(behind[..4], NumberStyles.None, CultureInfo.InvariantCulture, out int offset) && offset <= 1200;

    /// <summary>Null when it is none.</summary>
    private static Span? Parse(Vr vr, string text)
    {
        switch (vr)
        {
            case Vr.DA:
                string day = text.Replace(".", "", StringComparison.Ordinal);
                return day.Length == 8 && ParseDate(day) is { } date ? date : null;
            case Vr.TM:
                return ParseTime(text.Replace(":", "", StringComparison.Ordinal));
            default:
                return ParseDateTime(text);
        }
    }

    private static Span? ParseDateTime(string text)
    {
        long offset = 0;
        if (text.Length > 5 && text[^5] is '+' or '-')
        {
            if (!TryNumber(text.AsSpan(text.Length - 4, 2), 0, 14, out int hours) || !TryNumber(text.AsSpan(text.Length - 2), 0, 59, out int minutes))
            {
                return null;
            }

            offset = new TimeSpan(hours, minutes, 0).Ticks * (text[^5] == '-' ? -1 : 1);
            text = text[..^5];
        }

        if (ParseDate(text.AsSpan(0, Math.Min(text.Length, 8))) is not { } date)
        {
            return null;
        }

        if (text.Length > 8)
        {
            if (ParseTime(text.AsSpan(8)) is not { } time)
            {
                return null;
            }

            date = new Span(date.From + time.From, date.From + time.Until);
        }

        return new Span(date.From - offset, date.Until - offset);
    }

    /// <summary>YYYY, YYYYMM or YYYYMMDD.</summary>
    private static Span? ParseDate(ReadOnlySpan<char> text)
    {
        int month = 1, day = 1;
        if (text.Length is not (4 or 6 or 8)
            || !TryNumber(text[..4], 1, 9998, out int year)
            || (text.Length >= 6 && !TryNumber(text.Slice(4, 2), 1, 12, out month))
            || (text.Length == 8 && !TryNumber(text[6..], 1, DateTime.DaysInMonth(year, month), out day)))
        {
            return null;
        }

        var from = new DateTime(year, month, day);
        return new Span(from.Ticks, (text.Length switch { 4 => from.AddYears(1), 6 => from.AddMonths(1), _ => from.AddDays(1) }).Ticks);
    }

    /// <summary>HH, HHMM, HHMMSS or HHMMSS.F to .FFFFFF; the second 60 of a leap second is the end of its minute.</summary>
    private static Span? ParseTime(ReadOnlySpan<char> text)
    {
        int minute = 0, second = 0, fraction = 0;
        int digits = text.Length - 7;
        if (text.Length is not (2 or 4 or 6 or (>= 8 and <= 13))
            || !TryNumber(text[..2], 0, 23, out int hour)
            || (text.Length >= 4 && !TryNumber(text.Slice(2, 2), 0, 59, out minute))
            || (text.Length >= 6 && !TryNumber(text.Slice(4, 2), 0, 60, out second))
            || (digits > 0 && (text[6] != '.' || !TryNumber(text[7..], 0, 999_999, out fraction))))
        {
            return null;
        }

        long step = text.Length switch { 2 => TimeSpan.TicksPerHour, 4 => TimeSpan.TicksPerMinute, _ => TimeSpan.TicksPerSecond };
        for (int i = 0; i < digits; i++)
        {
            step /= 10;
        }

        long from = (hour * TimeSpan.TicksPerHour) + (minute * TimeSpan.TicksPerMinute) + (second * TimeSpan.TicksPerSecond) + (digits > 0 ? fraction * step : 0);
        return new Span(Math.Min(from, TicksOfDay - 1), from + step);
    }

    private static bool TryNumber(ReadOnlySpan<char> text, int least, int most, out int number) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number) && number >= least && number <= most;
}
