using PacsStegoGateway.Forwarding;

namespace PacsStegoGateway.Tests.Forwarding;

public sealed class SendingHoursTests
{
    [Theory]
    [InlineData("19:00-06:00", "18:59:59", 1)]
    [InlineData("19:00-06:00", "19:00:00", 0)]
    [InlineData("19:00-06:00", "00:00:00", 0)]
    [InlineData("19:00-06:00", "05:59:59", 0)]
    [InlineData("19:00-06:00", "06:00:00", 60)]
    [InlineData("08:00-18:00", "07:59:30", 30)]
    [InlineData("08:00-18:00", "12:00:00", 0)]
    [InlineData("08:00-18:00", "18:00:00", 60)]
    [InlineData("08:00-18:00", "23:59:50", 60)]
    [InlineData("00:00-06:00", "23:59:50", 10)]
    public void Outside_the_hours_one_waits_for_their_begin_a_minute_at_a_time(string hours, string now, int seconds)
    {
        SendingHours.TryParse(hours, out SendingHours? parsed).ShouldBeTrue();
        parsed!.ToString().ShouldBe(hours);
        var time = new LocalTime(TimeOnly.Parse(now, System.Globalization.CultureInfo.InvariantCulture));
        parsed.Wait(time).TotalSeconds.ShouldBe(seconds, 0.01);
    }

    [Theory]
    [InlineData("19-6")]
    [InlineData("24:00-06:00")]
    [InlineData("06:00")]
    [InlineData("06:00-06:00")]
    [InlineData("06:00-07:00-08:00")]
    [InlineData("-")]
    public void What_are_no_hours(string text) => SendingHours.TryParse(text, out _).ShouldBeFalse();

    [Fact]
    public void Nothing_is_always()
    {
        SendingHours.TryParse("", out SendingHours? hours).ShouldBeTrue();
        hours.ShouldBeNull();
    }

    /// <summary>Two hours east of Greenwich, so that a mistake between local and universal time is seen.</summary>
    private sealed class LocalTime(TimeOnly now) : TimeProvider
    {
        public override TimeZoneInfo LocalTimeZone { get; } = TimeZoneInfo.CreateCustomTimeZone("test", TimeSpan.FromHours(2), "test", "test");

        public override DateTimeOffset GetUtcNow() => new DateTimeOffset(new DateOnly(2026, 3, 4), now, TimeSpan.FromHours(2)).ToUniversalTime();
    }
}
