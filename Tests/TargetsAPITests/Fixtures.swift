/// The JSON of the Targets API's document, exactly as it stands there.
enum Documented {
    static let clientID = "550e8400-e29b-41d4-a716-446655440000"

    static let list = #"""
        {"targets":[{"pKey":"550e8400-e29b-41d4-a716-446655440000","sKey":"tgt_789e4567","targetName":"Stripe API","targetBaseURL":"https://api.stripe.com","targetTestPath":"/v1/customers","targetRegion":"us-east-1","targetDefaultRuleEffect":"allow","userId":"123e4567-e89b-12d3-a456-426614174000","clientId":"550e8400-e29b-41d4-a716-446655440000","parentId":"550e8400-e29b-41d4-a716-446655440000","targetCreatedAt":"2024-01-22T12:00:00.000Z","targetUpdatedAt":"2024-01-22T12:00:00.000Z"}],"message":"Success"}
        """#

    static let create =
        #"{"targetName":"Stripe API","targetRegion":"us-east-1","targetBaseURL":"https://api.stripe.com","targetTestPath":"/v1/customers","targetDefaultRuleEffect":"allow"}"#

    static let created = #"""
        {"targets":[{"targetName":"Stripe API","targetBaseURL":"https://api.stripe.com","targetTestPath":"/v1/customers","targetRegion":"us-east-1","targetDefaultRuleEffect":"allow","clientId":"550e8400-e29b-41d4-a716-446655440000","userId":"123e4567-e89b-12d3-a456-426614174000","parentId":"550e8400-e29b-41d4-a716-446655440000","targetCreatedAt":"2024-01-22T12:00:00.000Z","targetUpdatedAt":"2024-01-22T12:00:00.000Z"}],"message":"Target created successfully"}
        """#

    static let deleted = #"{"message":"Target deleted successfully"}"#

    static var updated: String {
        created.replacing("Target created successfully", with: "Target updated successfully")
            .replacing(#""targetUpdatedAt":"2024-01-22T12:00:00.000Z""#, with: #""targetUpdatedAt":"2024-01-22T12:30:00.000Z""#)
    }
}
