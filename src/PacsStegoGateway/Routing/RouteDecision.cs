namespace PacsStegoGateway.Routing;

/// <summary>What the rules say about one object.</summary>
public abstract record RouteDecision
{
    private RouteDecision()
    {
    }

    /// <summary>It is protected and goes to every one of the destinations.</summary>
    /// <param name="Rule">The rule that held; null without any rules.</param>
    /// <param name="Profile">How it is de-identified.</param>
    /// <param name="Destinations">By name, at least one.</param>
    public sealed record To(string? Rule, string Profile, IReadOnlyList<string> Destinations) : RouteDecision;

    /// <summary>A rule says that such objects go nowhere.</summary>
    public sealed record Refused(string Rule) : RouteDecision;

    /// <summary>There are rules and none of them holds.</summary>
    public sealed record NoRoute : RouteDecision;
}
