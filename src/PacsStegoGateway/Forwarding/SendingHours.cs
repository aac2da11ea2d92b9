using System.Globalization;

namespace PacsStegoGateway.Forwarding;

/// <summary>The hours of the day in which a destination is sent to, in local time; the end may lie on the next day.</summary>
/// <param name="From">First minute.</param>
/// <param name="Until">The minute after the last.</param>
public sealed record SendingHours(TimeOnly From, TimeOnly Until)
{
    /// <summary>Clocks are set: nobody looks further ahead than this.</summary>
    private static readonly TimeSpan LookAgain = TimeSpan.FromMinutes(1);

    /// <summary>Reads <c>19:00-06:00</c>.</summary>
    /// <param name="hours">Null for an empty text: always.</param>
    public static bool TryParse(string text, out SendingHours? hours)
    {
        hours = null;
        if (text.Length == 0)
        {
            return true;
        }

        string[] ends = text.Split('-', StringSplitOptions.TrimEntries);
        if (ends.Length != 2 || !TryParseTime(ends[0], out TimeOnly from) || !TryParseTime(ends[1], out TimeOnly until) || from == until)
        {
            return false;
        }

        hours = new SendingHours(from, until);
        return true;
    }

    /// <summary>True within the hours.</summary>
    public bool Contains(TimeOnly local) => local.IsBetween(From, Until);

    /// <summary>Zero within the hours; else how long to wait before looking again, at most a minute.</summary>
    public TimeSpan Wait(TimeProvider time)
    {
        TimeOnly local = TimeOnly.FromDateTime(time.GetLocalNow().DateTime);
        // The difference of two times of day runs forward, over midnight.
        return Contains(local) ? TimeSpan.Zero : TimeSpan.FromTicks(Math.Min((From - local).Ticks + TimeSpan.TicksPerMillisecond, LookAgain.Ticks));
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{From:HH:mm}-{Until:HH:mm}");

    private static bool TryParseTime(string text, out TimeOnly time) =>
        TimeOnly.TryParseExact(text, "HH:mm", CultureInfo.InvariantCulture, DateTimeStyles.None, out time);
}
