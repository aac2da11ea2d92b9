using PacsStegoGateway.Configuration;
using PacsStegoGateway.Dicom;
using RouteOptions = PacsStegoGateway.Configuration.RouteOptions;

namespace PacsStegoGateway.Routing;

/// <summary>The rules of the configuration, in order; the first that holds decides. Pure and thread-safe.</summary>
public sealed class RouteTable
{
    private readonly (RouteCondition Condition, RouteDecision Decision)[] _rules;
    private readonly RouteDecision _otherwise;
    private readonly DicomReadOptions _reading;

    public RouteTable(GatewayOptions options)
    {
        _rules = [.. options.Routes.Select(static r => (new RouteCondition(r), r.Refuse
            ? (RouteDecision)new RouteDecision.Refused(r.Name)
            : new RouteDecision.To(r.Name, r.Profile, [.. r.Destinations])))];
        _otherwise = _rules.Length == 0
            ? new RouteDecision.To(null, RouteOptions.BasicProfile, [options.Pacs.KnownAs])
            : new RouteDecision.NoRoute();
        uint last = _rules.SelectMany(static r => r.Condition.Tags).Select(static t => t.Value).DefaultIfEmpty().Max();
        // Nothing behind the last attribute that a rule asks for is looked at, and long values stay where they lie.
        _reading = DicomReadOptions.Default with { StopBefore = last == uint.MaxValue ? null : new Tag(last + 1), LongestReadSource = 0 };
    }

    /// <summary>Where the object goes.</summary>
    /// <param name="calledAE">Our AE title that its sender called.</param>
    /// <param name="callingAE">Its sender.</param>
    /// <param name="dataSet">As received. Read as far as the rules ask, without long values.</param>
    /// <exception cref="DicomContentException">The bytes are no data set of this syntax.</exception>
    public RouteDecision Decide(string calledAE, string callingAE, ByteSource dataSet, TransferSyntax transferSyntax) =>
        _rules.Length == 0 ? _otherwise : Decide(calledAE, callingAE, DataSetReader.Read(dataSet, transferSyntax, _reading));

    /// <inheritdoc cref="Decide(string, string, ByteSource, TransferSyntax)"/>
    public RouteDecision Decide(string calledAE, string callingAE, DataSet dataSet)
    {
        foreach ((RouteCondition condition, RouteDecision decision) in _rules)
        {
            if (condition.Holds(calledAE, callingAE, dataSet))
            {
                return decision;
            }
        }

        return _otherwise;
    }
}
